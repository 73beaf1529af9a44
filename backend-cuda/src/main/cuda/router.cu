// moe_route: the linear router in one kernel: logits = W · x + b in float32, the topK best experts
// of each token by logit + choiceBias, softmax over the logits of these. Of equal scores the smaller
// id wins; NaN counts as the least, so an id is always in range, and it makes all gates of its token
// NaN.
//
// x           bf16 or float32 [tokens, dModel]
// weight      the type of x, [experts, dModel]
// bias        F32 [experts] or null
// choiceBias  F32 [experts] or null
// logits      F32 [tokens, experts] or null
// expertIds   I32 [tokens, topK], best first
// gates       F32 [tokens, topK]
//
// moe_route_bf16_eN: exact products of bf16 on tensor cores, summed in float32; experts <= N,
//   dModel a multiple of 8. A block takes 16 · groups tokens; `slices` warps share dModel for each
//   16 of them. Launch: grid = ceil(tokens / 16 / groups), block = 32 · groups · slices <= 512,
//   shared = 4 · 16 · N · groups · slices.
// moe_route_split_eN: the same for float32: each number is the sum of two of bf16, and only the
//   product of the two lesser parts is left out. Logits are right to about 16 bits, so that almost
//   never another expert is chosen.
// moe_route_f32: fused multiply-adds in float32, any dModel, experts <= 256. Launch: grid =
//   ceil(tokens / 16), block = 256, shared = 4 · 16 · experts.
// moe_route_few: as moe_route_f32 for a handful of tokens, dModel a multiple of 4. `slices`: 1 if the
//   weights are older than the kernels that may still run. Launch: grid = tokens, block = 256,
//   shared = 4 · experts.
// topK <= 32. Parameters: RouterArgs by value.
#include "dependent.cuh"
#include "few.cuh"
#include "mma.cuh"
#include "numeric.cuh"

#ifndef MOE_DYNAMIC_SHARED  // the emulation of the tests has its own
#define MOE_DYNAMIC_SHARED(TYPE, NAME) extern __shared__ TYPE NAME[]
#endif

namespace moe {

struct RouterArgs {
  const void* x;
  const void* weight;
  const float* bias;
  const float* choiceBias;
  float* logits;
  int* expertIds;
  float* gates;
  int tokens;
  int dModel;
  int experts;
  int topK;
  int slices;  // warps that share dModel; not for f32
};

constexpr int GROUP_TOKENS = 16;
constexpr int MOST_CHOSEN = 32;  // topK

/// Floats in the order of integers above 0, NaN as the least of them.
__device__ __forceinline__ uint32_t sortable(float value) {
  uint32_t bits = __float_as_uint(value);
  if (value != value) return 1;
  return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}

/// 8 neighbouring lanes choose the experts of one token; lane l has those with id % 8 = l % 8. The
/// whole warp takes part, `token` beyond the last is computed and not stored.
/// @param logits shared memory, [experts], experts <= 8 · KEYS
template <int KEYS>
__device__ __forceinline__ void choose(const float* logits, const RouterArgs& args, int token) {
  int lane = threadIdx.x & 7;
  uint32_t keys[KEYS];  // 0: none, or chosen already
  bool nan = false;
#pragma unroll
  for (int i = 0; i < KEYS; ++i) {
    int e = lane + 8 * i;
    bool there = e < args.experts;
    float logit = there ? logits[e] : 0.0f;
    nan |= logit != logit;
    keys[i] = there ? sortable(args.choiceBias ? logit + args.choiceBias[e] : logit) : 0;
    if (there && args.logits && token < args.tokens) {
      args.logits[static_cast<int64_t>(token) * args.experts + e] = logit;
    }
  }
  float best = -INFINITY;  // with a bias the first need not be the largest
  float chosen[MOST_CHOSEN / 8] = {};  // of k = lane + 8 · i
  int ids[MOST_CHOSEN / 8] = {};
  for (int k = 0; k < args.topK; ++k) {
    uint32_t key = keys[0];
    int id = lane;
#pragma unroll
    for (int i = 1; i < KEYS; ++i) {
      if (keys[i] > key) {
        key = keys[i];
        id = lane + 8 * i;
      }
    }
#pragma unroll
    for (int step = 4; step > 0; step /= 2) {
      uint32_t otherKey = __shfl_xor_sync(~0u, key, step);
      int otherId = __shfl_xor_sync(~0u, id, step);
      if (otherKey > key || (otherKey == key && otherId < id)) {
        key = otherKey;
        id = otherId;
      }
    }
#pragma unroll
    for (int i = 0; i < KEYS; ++i) {
      if (id == lane + 8 * i) keys[i] = 0;
    }
    float logit = logits[id];
    best = fmaxf(best, logit);
#pragma unroll
    for (int i = 0; i < MOST_CHOSEN / 8; ++i) {
      if (k == lane + 8 * i) {
        chosen[i] = logit;
        ids[i] = id;
      }
    }
  }
  float sum = 0.0f;
#pragma unroll
  for (int i = 0; i < MOST_CHOSEN / 8; ++i) {
    chosen[i] = lane + 8 * i < args.topK ? expf(chosen[i] - best) : 0.0f;
    sum += chosen[i];
  }
#pragma unroll
  for (int step = 4; step > 0; step /= 2) {
    sum += __shfl_xor_sync(~0u, sum, step);
    nan |= __shfl_xor_sync(~0u, static_cast<int>(nan), step) != 0;
  }
  if (token >= args.tokens) return;
#pragma unroll
  for (int i = 0; i < MOST_CHOSEN / 8; ++i) {
    int k = lane + 8 * i;
    if (k < args.topK) {
      int64_t slot = static_cast<int64_t>(token) * args.topK + k;
      args.expertIds[slot] = ids[i];
      args.gates[slot] = nan ? __int_as_float(0x7fc00000) : chosen[i] / sum;
    }
  }
}

/// 8 neighbours of a row as operands of bf16.
struct Half8 {
  using Element = bf16;
  static constexpr int PARTS = 1;
  uint4 parts[1];

  __device__ __forceinline__ Half8(const bf16* from, bool valid) {
    parts[0] = valid ? __ldg(reinterpret_cast<const uint4*>(from)) : make_uint4(0, 0, 0, 0);
  }
};

/// 8 neighbours of a row in float32, each the sum of two of bf16, the larger first.
struct Split8 {
  using Element = float;
  static constexpr int PARTS = 2;
  uint4 parts[2];

  __device__ __forceinline__ Split8(const float* from, bool valid) {
    float4 zero = make_float4(0, 0, 0, 0);
    float4 a = valid ? __ldg(reinterpret_cast<const float4*>(from)) : zero;
    float4 b = valid ? __ldg(reinterpret_cast<const float4*>(from) + 1) : zero;
    parts[0] = make_uint4(packBf16(a.x, a.y), packBf16(a.z, a.w), packBf16(b.x, b.y), packBf16(b.z, b.w));
    parts[1] = make_uint4(rest(a.x, a.y, parts[0].x), rest(a.z, a.w, parts[0].y),
                          rest(b.x, b.y, parts[0].z), rest(b.z, b.w, parts[0].w));
  }

  /// What rounding left of two numbers.
  static __device__ __forceinline__ uint32_t rest(float low, float high, uint32_t rounded) {
    return packBf16(low - __uint_as_float(rounded << 16),
                    high - __uint_as_float(rounded & 0xFFFF0000u));
  }
};

/// 16 tokens a group of warps, which take turns at 32 columns of dModel and add up in order. The
/// order of columns within a product is free, so each lane reads 8 neighbours at once.
template <int EIGHTS, class Operand>
__device__ __forceinline__ void routeTensor(const RouterArgs& args) {
  using Element = typename Operand::Element;
  MOE_DYNAMIC_SHARED(float, partial);
  constexpr int WIDTH = EIGHTS * 8;
  constexpr int TILE = GROUP_TOKENS * WIDTH;
  int warp = threadIdx.x >> 5, lane = threadIdx.x & 31;
  int group = warp / args.slices, slice = warp % args.slices;
  int groups = (blockDim.x >> 5) / args.slices;
  int row = lane >> 2, quad = lane & 3;
  int firstToken = blockIdx.x * groups * GROUP_TOKENS;
  int upperToken = firstToken + group * GROUP_TOKENS + row;
  releaseSuccessor();  // the plan waits for all of this kernel before it reads
  awaitPredecessor();
  const Element* weight = static_cast<const Element*>(args.weight);
  const Element* upper =
      static_cast<const Element*>(args.x) + static_cast<int64_t>(upperToken) * args.dModel;
  const Element* lower = upper + 8ll * args.dModel;
  bool hasUpper = upperToken < args.tokens;
  bool hasLower = upperToken + 8 < args.tokens;
  float sums[EIGHTS][4] = {};
#pragma unroll(EIGHTS > 8 ? 1 : EIGHTS > 4 ? 2 : 4)
  for (int base = slice * 32; base < args.dModel; base += args.slices * 32) {
    int column = base + quad * 8;
    bool inside = column < args.dModel;
    Operand a(upper + column, inside && hasUpper);
    Operand b(lower + column, inside && hasLower);
#pragma unroll
    for (int eight = 0; eight < EIGHTS; ++eight) {
      int expert = eight * 8 + row;
      Operand w(weight + static_cast<int64_t>(expert) * args.dModel + column,
                inside && expert < args.experts);
#pragma unroll
      for (int i = 0; i < Operand::PARTS; ++i) {
#pragma unroll
        for (int j = 0; i + j < Operand::PARTS; ++j) {
          const uint4 &u = a.parts[i], &l = b.parts[i], &v = w.parts[j];
          multiplyBf16(sums[eight], u.x, l.x, u.y, l.y, v.x, v.y);
          multiplyBf16(sums[eight], u.z, l.z, u.w, l.w, v.z, v.w);
        }
      }
    }
  }
#pragma unroll
  for (int eight = 0; eight < EIGHTS; ++eight) {
    float* at = partial + warp * TILE + row * WIDTH + eight * 8 + quad * 2;
    *reinterpret_cast<float2*>(at) = make_float2(sums[eight][0], sums[eight][1]);
    *reinterpret_cast<float2*>(at + 8 * WIDTH) = make_float2(sums[eight][2], sums[eight][3]);
  }
  __syncthreads();
  for (int i = threadIdx.x; i < groups * TILE; i += blockDim.x) {
    int expert = i % WIDTH;
    float* at = partial + i / TILE * args.slices * TILE + i % TILE;
    float sum = args.bias && expert < args.experts ? args.bias[expert] : 0.0f;
    for (int s = 0; s < args.slices; ++s) sum += at[s * TILE];
    *at = sum;
  }
  __syncthreads();
  for (int base = warp * 4; base < groups * GROUP_TOKENS; base += blockDim.x >> 3) {
    int token = base + (lane >> 3);
    const float* logits = partial + token / GROUP_TOKENS * args.slices * TILE +
                          token % GROUP_TOKENS * WIDTH;
    choose<EIGHTS>(logits, args, firstToken + token);
  }
}

constexpr int ANY_EXPERTS = 256;

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

/// A token a block, every eighth expert a warp. The weights of the first are read before the kernel
/// that makes the tokens has ended.
__device__ __forceinline__ void routeFew(const RouterArgs& args) {
  MOE_DYNAMIC_SHARED(float, logits);
  int warp = threadIdx.x >> 5, lane = threadIdx.x & 31;
  const float* weight = static_cast<const float*>(args.weight);
  const float* x = static_cast<const float*>(args.x) + static_cast<int64_t>(blockIdx.x) * args.dModel;
  FewWeights<float> ahead;
  bool early = args.slices && warp < args.experts;
  if (early) ahead.load(weight + static_cast<int64_t>(warp) * args.dModel, args.dModel, 0, FEW_STEP);
  awaitPredecessor();
  releaseSuccessor();
  for (int e = warp; e < args.experts; e += 8) {
    float sum = fewProduct(weight + static_cast<int64_t>(e) * args.dModel, x, args.dModel, 0,
                           FEW_STEP, early && e == warp ? &ahead : nullptr);
    if (lane == 0) logits[e] = sum + (args.bias ? args.bias[e] : 0.0f);
  }
  __syncthreads();
  if (warp > 0) return;
  choose<ANY_EXPERTS / 8>(logits, args, lane < 8 ? static_cast<int>(blockIdx.x) : args.tokens);
}

}  // namespace moe

#define MOE_ROUTE(NAME, EIGHTS, OPERAND)                                      \
  extern "C" __global__ void __launch_bounds__(512)                           \
      NAME(const __grid_constant__ moe::RouterArgs args) {                    \
    moe::routeTensor<EIGHTS, moe::OPERAND>(args);                             \
  }

MOE_ROUTE(moe_route_bf16_e8, 1, Half8)
MOE_ROUTE(moe_route_bf16_e32, 4, Half8)
MOE_ROUTE(moe_route_bf16_e64, 8, Half8)
MOE_ROUTE(moe_route_bf16_e128, 16, Half8)
MOE_ROUTE(moe_route_split_e8, 1, Split8)
MOE_ROUTE(moe_route_split_e32, 4, Split8)
MOE_ROUTE(moe_route_split_e64, 8, Split8)
MOE_ROUTE(moe_route_split_e128, 16, Split8)

extern "C" __global__ void __launch_bounds__(256)
    moe_route_few(const __grid_constant__ moe::RouterArgs args) {
  moe::routeFew(args);
}

extern "C" __global__ void __launch_bounds__(256)
    moe_route_f32(const __grid_constant__ moe::RouterArgs args) {
  moe::routeF32(args);
}
