// moe_route_f32: logits by fused multiply-adds in float32, for any dModel and up to 256 experts.
// Arguments and launch: router.cu.
#pragma once

#include "dependent.cuh"
#include "router_choice.cuh"

namespace moe {

/// 16 tokens a block, 2 a warp; lanes share dModel.
__device__ __forceinline__ void routeF32(const RouterArgs& args) {
  MOE_DYNAMIC_SHARED(float, partial);
  int warp = threadIdx.x >> 5, lane = threadIdx.x & 31;
  int firstToken = blockIdx.x * GROUP_TOKENS + warp * 2;
  releaseSuccessor();  // the plan waits for all of this kernel before it reads
  awaitPredecessor();
  if (firstToken >= args.tokens) return;
  bool hasSecond = firstToken + 1 < args.tokens;
  float* logits = partial + warp * 2 * args.experts;
  const float* weight = static_cast<const float*>(args.weight);
  const float* x0 = static_cast<const float*>(args.x) + static_cast<int64_t>(firstToken) * args.dModel;
  const float* x1 = hasSecond ? x0 + args.dModel : x0;
  for (int e = 0; e < args.experts; e += 4) {
    float sums[2][4] = {};
    for (int column = lane; column < args.dModel; column += 32) {
      float a = x0[column], b = x1[column];
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        int expert = min(e + i, args.experts - 1);
        float w = __ldg(weight + static_cast<int64_t>(expert) * args.dModel + column);
        sums[0][i] = fmaf(a, w, sums[0][i]);
        sums[1][i] = fmaf(b, w, sums[1][i]);
      }
    }
#pragma unroll
    for (int i = 0; i < 8; ++i) {
      float sum = sums[i >> 2][i & 3];
#pragma unroll
      for (int step = 16; step > 0; step /= 2) sum += __shfl_xor_sync(~0u, sum, step);
      int expert = e + (i & 3);
      if (lane == 0 && expert < args.experts) {
        logits[(i >> 2) * args.experts + expert] = sum + (args.bias ? args.bias[expert] : 0.0f);
      }
    }
  }
  __syncwarp();
  choose<ANY_EXPERTS / 8>(logits + (lane >> 3) % 2 * args.experts, args,
                          lane < 16 ? firstToken + (lane >> 3) : args.tokens);
}

}  // namespace moe
