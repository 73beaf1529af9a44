// What all routers share: their arguments, and how 8 lanes choose and weigh a token's experts from its
// logits in shared memory. Of equal scores the smaller id wins; NaN counts as the least.
#pragma once

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
  bf16* rounded;
  float* partial;
  int* ticket;
  int tokens;
  int dModel;
  int experts;
  int topK;
  int ahead;  // moe_route_few: whether the weights are older than the kernels that may still run
};

constexpr int GROUP_TOKENS = 16;  // of a block, or of warps that share dModel
constexpr int MOST_CHOSEN = 32;   // topK
constexpr int ANY_EXPERTS = 256;  // most of them where a kernel is not made for a number

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

}  // namespace moe
