// moe_route: the linear router in one kernel: logits = W · x + b in float32, the topK best experts
// of each token by logit + choiceBias, softmax over the logits of these. Of equal scores the smaller
// id wins; NaN counts as the least, so an id is always in range, and it makes all gates of its token
// NaN.
//
// x           F32 [tokens, dModel]
// weight      F32 [experts, dModel]
// bias        F32 [experts] or null
// choiceBias  F32 [experts] or null
// logits      F32 [tokens, experts] or null
// expertIds   I32 [tokens, topK], best first
// gates       F32 [tokens, topK]
// rounded     bf16 [tokens, dModel] or null: x for the products that follow (split and few)
//
// moe_route_split_eN_sS: float32 on tensor cores, experts <= N, dModel a multiple of 8: each number is
//   the sum of two of bf16, and only the product of the two lesser parts is left out. Logits are
//   right to about 16 bits, so that almost never another expert is chosen. A block takes 128 / S
//   tokens; S warps share dModel for each 16 of them. Launch: grid = ceil(tokens · S / 128),
//   block = 256, shared as in class SplitRouter.
// moe_route_f32: fused multiply-adds in float32, any dModel, experts <= 256. Launch: grid =
//   ceil(tokens / 16), block = 256, shared = 4 · 16 · experts.
// moe_route_few: as moe_route_f32 for a handful of tokens, dModel a multiple of 4. Launch: grid =
//   (tokens, ceil(experts / 8)), block = 256, shared = 4 · experts. The last block of a token chooses:
//   partial F32 [tokens, experts], ticket I32 [tokens], 0 before and after.
// topK <= 32. Parameters: RouterArgs by value.
#include "asynchronous.cuh"
#include "dependent.cuh"
#include "few.cuh"
#include "mma.cuh"
#include "numeric.cuh"
#include "prefetch.cuh"

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

#define MOE_ROUTE(NAME, EIGHTS, SLICES)                                       \
  extern "C" __global__ void __launch_bounds__(256)                           \
      NAME(const __grid_constant__ moe::RouterArgs args) {                    \
    moe::routeSplit<EIGHTS, SLICES>(args);                                    \
  }

MOE_ROUTE(moe_route_split_e8_s2, 1, 2)
MOE_ROUTE(moe_route_split_e8_s8, 1, 8)
MOE_ROUTE(moe_route_split_e32_s2, 4, 2)
MOE_ROUTE(moe_route_split_e32_s8, 4, 8)
MOE_ROUTE(moe_route_split_e64_s2, 8, 2)
MOE_ROUTE(moe_route_split_e64_s4, 8, 4)
MOE_ROUTE(moe_route_split_e128_s2, 16, 2)
MOE_ROUTE(moe_route_split_e128_s4, 16, 4)

extern "C" __global__ void __launch_bounds__(256)
    moe_route_few(const __grid_constant__ moe::RouterArgs args) {
  moe::routeFew(args);
}

extern "C" __global__ void __launch_bounds__(256)
    moe_route_f32(const __grid_constant__ moe::RouterArgs args) {
  moe::routeF32(args);
}
