// moe_route_few: a handful of tokens, their experts spread over all multiprocessors, which read weights
// at memory speed. Arguments and launch: router.cu.
#pragma once

#include "dependent.cuh"
#include "few.cuh"
#include "numeric.cuh"
#include "prefetch.cuh"
#include "router_choice.cuh"

namespace moe {

/// A block for a token and 8 experts, an expert a warp. Weights are read before the kernel that makes
/// the tokens has ended.
__device__ __forceinline__ void routeFew(const RouterArgs& args) {
  MOE_DYNAMIC_SHARED(float, logits);
  __shared__ int last;
  int warp = threadIdx.x >> 5, lane = threadIdx.x & 31;
  int64_t token = blockIdx.x;
  int expert = blockIdx.y * 8 + warp;
  bool valid = expert < args.experts;
  const float* row = static_cast<const float*>(args.weight) + static_cast<int64_t>(expert) * args.dModel;
  const float* x = static_cast<const float*>(args.x) + token * args.dModel;
  float* partial = args.partial + token * args.experts;
  FewWeights<float> ahead;
  bool early = args.ahead && valid;
  if (early) ahead.load(row, args.dModel, 0, FEW_STEP);
  if (args.bias) prefetchRow(args.bias, args.experts);
  if (args.choiceBias) prefetchRow(args.choiceBias, args.experts);
  awaitPredecessor();
  releaseSuccessor();
  for (int c = (blockIdx.y * 256 + threadIdx.x) * 4; args.rounded && c < args.dModel;
       c += gridDim.y * 1024) {
    float4 four = *reinterpret_cast<const float4*>(x + c);
    *reinterpret_cast<uint2*>(args.rounded + token * args.dModel + c) =
        make_uint2(packBf16(four.x, four.y), packBf16(four.z, four.w));
  }
  if (valid) {
    float bias = args.bias ? args.bias[expert] : 0.0f;  // under way beside x
    float sum = early ? fewProduct(row, x, args.dModel, 0, FEW_STEP, &ahead)
                      : fewProduct(row, x, args.dModel);
    if (lane == 0) {
      sum += bias;
      (gridDim.y > 1 ? partial : logits)[expert] = sum;
    }
  }
  if (gridDim.y > 1) {
    __threadfence();
    __syncthreads();
    if (threadIdx.x == 0) last = atomicAdd(args.ticket + token, 1) == static_cast<int>(gridDim.y) - 1;
    __syncthreads();
    if (!last) return;
    __threadfence();
    if (threadIdx.x == 0) args.ticket[token] = 0;
    for (int e = threadIdx.x; e < args.experts; e += 256) {
      logits[e] = *const_cast<volatile float*>(partial + e);
    }
  }
  __syncthreads();
  if (warp > 0) return;
  int chooses = lane < 8 ? static_cast<int>(token) : args.tokens;
  if (args.experts <= 64) {
    choose<8>(logits, args, chooses);
  } else {
    choose<ANY_EXPERTS / 8>(logits, args, chooses);
  }
}

}  // namespace moe
