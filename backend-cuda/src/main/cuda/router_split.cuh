// moe_route_split_eN_sS: logits in float32 on tensor cores. Each number is the sum of two of bf16, and
// only the product of the two lesser parts is left out: logits are right to about 16 bits, so that
// almost never another expert is chosen. Arguments and launch: router.cu.
#pragma once

#include "asynchronous.cuh"
#include "dependent.cuh"
#include "mma.cuh"
#include "numeric.cuh"
#include "router_choice.cuh"

namespace moe {

constexpr int SPLIT_THREADS = 256;
constexpr int SPLIT_WARPS = SPLIT_THREADS / 32;
constexpr int SLICE_COLUMNS = 32;  // of dModel, a warp's share of a stage

/// Two floats as sums of two pairs of bf16, the larger first.
__device__ __forceinline__ void splitPair(float a, float b, uint32_t& high, uint32_t& low) {
  high = packBf16(a, b);
  low = packBf16(a - __uint_as_float(high << 16), b - __uint_as_float(high & 0xFFFF0000u));
}

/// 8 neighbours of a row in two parts.
struct Split8 {
  uint4 high, low;

  __device__ __forceinline__ Split8(float4 a, float4 b) {
    splitPair(a.x, a.y, high.x, low.x);
    splitPair(a.z, a.w, high.y, low.y);
    splitPair(b.x, b.y, high.z, low.z);
    splitPair(b.z, b.w, high.w, low.w);
  }
};

/// 16 tokens a group of warps, which share the columns of each stage and add up in order. The order
/// of columns within a product is free, so each lane reads 8 neighbours at once. Weights are split
/// once a block, tokens by the warp that multiplies them.
///
/// Shared memory: stages of tokens in float32, under way together, then two buffers of weights in
/// two parts each. Rows are padded so that no two of 8 neighbouring lanes meet in a bank.
template <int EIGHTS, int SLICES>
class SplitRouter {
  static constexpr int WIDTH = EIGHTS * 8;
  static constexpr int TILE = GROUP_TOKENS * WIDTH;
  static constexpr int TOKENS = SPLIT_WARPS / SLICES * GROUP_TOKENS;
  static constexpr int COLUMNS = SLICES * SLICE_COLUMNS;  // of dModel in a stage
  static constexpr int STAGES = WIDTH >= 64 ? 3 : 4;      // what fits in shared memory
  static constexpr int ROW_FLOATS = COLUMNS + 4;
  static constexpr int STAGE_FLOATS = TOKENS * ROW_FLOATS;
  static constexpr int WEIGHT_BYTES = COLUMNS * 2 + 64;
  static constexpr int PART_BYTES = WIDTH * WEIGHT_BYTES;
  // A thread has the same columns of some tokens, by 4, and of some experts, by 8.
  static constexpr int TOKEN_STEP = SPLIT_THREADS * 4 / COLUMNS;
  static constexpr int COPIES = TOKENS / TOKEN_STEP;
  static constexpr int EXPERT_STEP = SPLIT_THREADS * 8 / COLUMNS;
  static constexpr int LOADS = (WIDTH + EXPERT_STEP - 1) / EXPERT_STEP;

 public:
  static constexpr int SHARED_BYTES = STAGES * STAGE_FLOATS * 4 + 4 * PART_BYTES;
  static_assert(SPLIT_WARPS * TILE * 4 <= SHARED_BYTES, "logits take the place of what was there");

  __device__ SplitRouter(const RouterArgs& args, float* shared)
      : args_(args), tokens_(shared),
        weights_(reinterpret_cast<char*>(shared + STAGES * STAGE_FLOATS)),
        firstToken_(blockIdx.x * TOKENS) {
    int row = threadIdx.x * 4 / COLUMNS, column = threadIdx.x * 4 % COLUMNS;
    left_ = args.dModel - column;
    copyAt_ = row * ROW_FLOATS + column;
    int token = firstToken_ + row;
    source_ = static_cast<int64_t>(token) * args.dModel + column;
    copies_ = min(max((args.tokens - token + TOKEN_STEP - 1) / TOKEN_STEP, 0), COPIES);
    int expert = threadIdx.x * 8 / COLUMNS, weightColumn = threadIdx.x * 8 % COLUMNS;
    weightsLeft_ = args.dModel - weightColumn;
    splitAt_ = expert * WEIGHT_BYTES + weightColumn * 2;
    weight_ = static_cast<const float*>(args.weight) +
              static_cast<int64_t>(expert) * args.dModel + weightColumn;
    loads_ = min(max((args.experts - expert + EXPERT_STEP - 1) / EXPERT_STEP, 0), LOADS);
  }

  __device__ __forceinline__ void run() {
    releaseSuccessor();  // the plan waits for all of this kernel before it reads
    awaitPredecessor();
    int stages = (args_.dModel + COLUMNS - 1) / COLUMNS;
    for (int stage = 0; stage < STAGES - 1; ++stage) copyTokens(stage);
    loadWeights<0>(0);
    loadWeights<1>(1);
    storeWeights<0>(0);
    for (int stage = 0; stage < stages; stage += 2) {
      step<0>(stage);
      if (stage + 1 < stages) step<1>(stage + 1);
    }
    awaitCopies<0>();
    __syncthreads();
    chooseAll();
  }

 private:
  /// Weights are read two stages ahead and split one ahead.
  /// @tparam TURN stage % 2
  template <int TURN>
  __device__ __forceinline__ void step(int stage) {
    awaitCopies<STAGES - 2>();
    __syncthreads();
    copyTokens(stage + STAGES - 1);
    loadWeights<TURN>(stage + 2);
    if (args_.rounded) roundTokens(stage);
    multiply(stage);
    storeWeights<1 - TURN>(stage + 1);
  }

  /// One group of copies, empty past the last stage. Tokens beyond the last keep what was there:
  /// their logits are nobody's.
  __device__ __forceinline__ void copyTokens(int stage) {
    const float* x = static_cast<const float*>(args_.x);
    float* to = tokens_ + stage % STAGES * STAGE_FLOATS + copyAt_;
    int column = stage * COLUMNS;
    if (column < args_.dModel) {
      bool valid = column < left_;
      const float* from = valid ? x + source_ + column : x;
#pragma unroll
      for (int i = 0; i < COPIES; ++i) {
        if (i < copies_) copyLater(to + i * TOKEN_STEP * ROW_FLOATS, from, valid);
        if (valid) from += static_cast<int64_t>(TOKEN_STEP) * args_.dModel;
      }
    }
    endCopies();
  }

  /// Each thread rounds what it copied.
  __device__ __forceinline__ void roundTokens(int stage) {
    const float* from = tokens_ + stage % STAGES * STAGE_FLOATS + copyAt_;
    int column = stage * COLUMNS;
    if (column >= left_) return;
    bf16* to = args_.rounded + source_ + column;
#pragma unroll
    for (int i = 0; i < COPIES; ++i) {
      float4 four = *reinterpret_cast<const float4*>(from + i * TOKEN_STEP * ROW_FLOATS);
      if (i < copies_) {
        *reinterpret_cast<uint2*>(to) =
            make_uint2(packBf16(four.x, four.y), packBf16(four.z, four.w));
      }
      to += static_cast<int64_t>(TOKEN_STEP) * args_.dModel;
    }
  }

  template <int TURN>
  __device__ __forceinline__ void loadWeights(int stage) {
    int column = stage * COLUMNS;
    const float* from = weight_ + column;
#pragma unroll
    for (int i = 0; i < LOADS; ++i) {
      bool valid = i < loads_ && column < weightsLeft_;
      float4 zero = make_float4(0, 0, 0, 0);
      loaded_[TURN][2 * i] = valid ? __ldg(reinterpret_cast<const float4*>(from)) : zero;
      loaded_[TURN][2 * i + 1] = valid ? __ldg(reinterpret_cast<const float4*>(from) + 1) : zero;
      from += static_cast<int64_t>(EXPERT_STEP) * args_.dModel;
    }
  }

  template <int TURN>
  __device__ __forceinline__ void storeWeights(int stage) {
    if (WIDTH < EXPERT_STEP && splitAt_ >= WIDTH * WEIGHT_BYTES) return;
    char* to = weights_ + (stage & 1) * 2 * PART_BYTES + splitAt_;
#pragma unroll
    for (int i = 0; i < LOADS; ++i) {
      Split8 parts(loaded_[TURN][2 * i], loaded_[TURN][2 * i + 1]);
      *reinterpret_cast<uint4*>(to + i * EXPERT_STEP * WEIGHT_BYTES) = parts.high;
      *reinterpret_cast<uint4*>(to + i * EXPERT_STEP * WEIGHT_BYTES + PART_BYTES) = parts.low;
    }
  }

  __device__ __forceinline__ void multiply(int stage) {
    int warp = threadIdx.x >> 5, lane = threadIdx.x & 31;
    int group = warp / SLICES, slice = warp % SLICES;
    int row = lane >> 2, quad = lane & 3;
    const float* upper = tokens_ + stage % STAGES * STAGE_FLOATS +
                         (group * GROUP_TOKENS + row) * ROW_FLOATS + slice * SLICE_COLUMNS + quad * 8;
    const float* lower = upper + 8 * ROW_FLOATS;
    Split8 a(reinterpret_cast<const float4*>(upper)[0], reinterpret_cast<const float4*>(upper)[1]);
    Split8 b(reinterpret_cast<const float4*>(lower)[0], reinterpret_cast<const float4*>(lower)[1]);
    const char* weights = weights_ + (stage & 1) * 2 * PART_BYTES + row * WEIGHT_BYTES +
                          (slice * SLICE_COLUMNS + quad * 8) * 2;
    // Products of several experts in turn: those of one wait for each other.
    constexpr int TURNS = EIGHTS < 4 ? EIGHTS : 4;
#pragma unroll
    for (int first = 0; first < EIGHTS; first += TURNS) {
      uint4 high[TURNS], low[TURNS];
#pragma unroll
      for (int i = 0; i < TURNS; ++i) {
        const char* at = weights + (first + i) * 8 * WEIGHT_BYTES;
        high[i] = *reinterpret_cast<const uint4*>(at);
        low[i] = *reinterpret_cast<const uint4*>(at + PART_BYTES);
      }
      products<TURNS>(first, a.high, b.high, high);
      products<TURNS>(first, a.high, b.high, low);
      products<TURNS>(first, a.low, b.low, high);
    }
  }

  template <int TURNS>
  __device__ __forceinline__ void products(
      int first, const uint4& upper, const uint4& lower, const uint4 (&weights)[TURNS]) {
#pragma unroll
    for (int i = 0; i < TURNS; ++i) {
      multiplyBf16(sums_[first + i], upper.x, lower.x, upper.y, lower.y, weights[i].x, weights[i].y);
    }
#pragma unroll
    for (int i = 0; i < TURNS; ++i) {
      multiplyBf16(sums_[first + i], upper.z, lower.z, upper.w, lower.w, weights[i].z, weights[i].w);
    }
  }

  __device__ __forceinline__ void chooseAll() {
    int warp = threadIdx.x >> 5, lane = threadIdx.x & 31;
    int row = lane >> 2, quad = lane & 3;
    float* partial = tokens_;
#pragma unroll
    for (int eight = 0; eight < EIGHTS; ++eight) {
      float* at = partial + warp * TILE + row * WIDTH + eight * 8 + quad * 2;
      *reinterpret_cast<float2*>(at) = make_float2(sums_[eight][0], sums_[eight][1]);
      *reinterpret_cast<float2*>(at + 8 * WIDTH) = make_float2(sums_[eight][2], sums_[eight][3]);
    }
    __syncthreads();
    for (int i = threadIdx.x; i < TOKENS * WIDTH; i += SPLIT_THREADS) {
      int expert = i % WIDTH;
      float* at = partial + i / TILE * SLICES * TILE + i % TILE;
      float sum = args_.bias && expert < args_.experts ? args_.bias[expert] : 0.0f;
#pragma unroll
      for (int s = 0; s < SLICES; ++s) sum += at[s * TILE];
      *at = sum;
    }
    __syncthreads();
    for (int base = warp * 4; base < TOKENS; base += SPLIT_WARPS * 4) {
      int token = base + (lane >> 3);
      const float* logits =
          partial + token / GROUP_TOKENS * SLICES * TILE + token % GROUP_TOKENS * WIDTH;
      choose<EIGHTS>(logits, args_, firstToken_ + token);
    }
  }

  const RouterArgs& args_;
  float* tokens_;
  char* weights_;
  int firstToken_;
  int left_, copyAt_, copies_;  // columns of tokens from its own on, where they go, how many tokens
  int64_t source_;
  int weightsLeft_, splitAt_, loads_;  // the same of weights
  const float* weight_;
  float4 loaded_[2][2 * LOADS];
  float sums_[EIGHTS][4] = {};
};

template <int EIGHTS, int SLICES>
__device__ __forceinline__ void routeSplit(const RouterArgs& args) {
  MOE_DYNAMIC_SHARED(float, shared);
  SplitRouter<EIGHTS, SLICES>(args, shared).run();
}

}  // namespace moe
