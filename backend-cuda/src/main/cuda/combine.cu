// moe_combine: out[t] = sum over k, in this order, of gates[t, k] · rows[positions[t · topK + k]].
// A gather, so there are no atomics and the same bits every time. Sums of split experts
// (splits > 1, see experts_down.cu) are added first, in order.
//
// rows       bf16, f16 or F32 [splits, slots, dModel], sorted by expert
// positions  I32 [tokens, topK], -1 for an unused slot
// gates      F32 [tokens, topK]; null: all 1
// out        bf16 or F32 [tokens, dModel], added to if `accumulate`
//
// moe_combine_ROWS_OUT: 8 columns a thread, dModel a multiple of 8. moe_combine_two_*: the same,
//   faster up to topK 2. moe_combine_any_*: 1 column a thread, any dModel.
// Launch: grid = (tokens, ceil(dModel / columns a thread / block)), block <= 256, shared = 0.
//   Parameters: CombineArgs by value.
#include "dependent.cuh"
#include "half.cuh"

namespace moe {

struct CombineArgs {
  const void* rows;
  const int* positions;
  const float* gates;
  void* out;
  int tokens;
  int topK;
  int dModel;
  int splits;
  int slots;
  int accumulate;
};

/// Some columns of a row as they lie in memory.
template <class Row, int COLUMNS>
struct Piece;

template <>
struct Piece<bf16, 8> {
  uint4 raw = make_uint4(0, 0, 0, 0);

  __device__ __forceinline__ void load(const bf16* from) {
    raw = __ldg(reinterpret_cast<const uint4*>(from));
  }
  __device__ __forceinline__ float operator[](int i) const {
    uint32_t word = i < 2 ? raw.x : i < 4 ? raw.y : i < 6 ? raw.z : raw.w;
    return __uint_as_float(i & 1 ? word & 0xFFFF0000u : word << 16);
  }
};

template <>
struct Piece<f16, 8> {
  uint4 raw = make_uint4(0, 0, 0, 0);

  __device__ __forceinline__ void load(const f16* from) {
    raw = __ldg(reinterpret_cast<const uint4*>(from));
  }
  __device__ __forceinline__ float operator[](int i) const {
    float2 pair = unpackHalves<f16>(i < 2 ? raw.x : i < 4 ? raw.y : i < 6 ? raw.z : raw.w);
    return i & 1 ? pair.y : pair.x;
  }
};

template <>
struct Piece<float, 8> {
  float4 low = make_float4(0, 0, 0, 0), high = low;

  __device__ __forceinline__ void load(const float* from) {
    low = __ldg(reinterpret_cast<const float4*>(from));
    high = __ldg(reinterpret_cast<const float4*>(from) + 1);
  }
  __device__ __forceinline__ float operator[](int i) const {
    const float4& half = i < 4 ? low : high;
    return i % 4 == 0 ? half.x : i % 4 == 1 ? half.y : i % 4 == 2 ? half.z : half.w;
  }
};

template <class Row>
struct Piece<Row, 1> {
  float value = 0.0f;

  __device__ __forceinline__ void load(const Row* from) { value = toFloat(*from); }
  __device__ __forceinline__ float operator[](int) const { return value; }
};

template <int COLUMNS>
__device__ __forceinline__ void store(const float (&values)[COLUMNS], bf16* to) {
  if constexpr (COLUMNS == 8) {
    *reinterpret_cast<uint4*>(to) =
        make_uint4(packBf16(values[0], values[1]), packBf16(values[2], values[3]),
                   packBf16(values[4], values[5]), packBf16(values[6], values[7]));
  } else {
    *to = fromFloat<bf16>(values[0]);
  }
}

template <int COLUMNS>
__device__ __forceinline__ void store(const float (&values)[COLUMNS], float* to) {
  if constexpr (COLUMNS == 8) {
    reinterpret_cast<float4*>(to)[0] = make_float4(values[0], values[1], values[2], values[3]);
    reinterpret_cast<float4*>(to)[1] = make_float4(values[4], values[5], values[6], values[7]);
  } else {
    *to = values[0];
  }
}

/// @tparam BATCH choices of a token whose rows are fetched together
template <class Row, class Out, int COLUMNS, int BATCH>
__device__ __forceinline__ void combine(const CombineArgs& args) {
  awaitPredecessor();
  releaseSuccessor();
  int token = blockIdx.x;
  int column = (blockIdx.y * blockDim.x + threadIdx.x) * COLUMNS;
  if (column >= args.dModel) return;
  const Row* rows = static_cast<const Row*>(args.rows) + column;
  float total[COLUMNS] = {};
  for (int base = 0; base < args.topK; base += BATCH) {
    // All positions, then all rows, then the sum: the loads of a batch are under way together.
    int positions[BATCH];
    float gates[BATCH];
#pragma unroll
    for (int i = 0; i < BATCH; ++i) {
      int slot = token * args.topK + base + i;
      bool used = base + i < args.topK;
      positions[i] = used ? __ldg(args.positions + slot) : -1;
      gates[i] = !used ? 0.0f : args.gates ? __ldg(args.gates + slot) : 1.0f;
    }
    Piece<Row, COLUMNS> pieces[BATCH];
#pragma unroll
    for (int i = 0; i < BATCH; ++i) {
      if (positions[i] >= 0) {
        pieces[i].load(rows + static_cast<int64_t>(positions[i]) * args.dModel);
      }
    }
#pragma unroll
    for (int i = 0; i < BATCH; ++i) {
      if (positions[i] < 0) continue;
      float value[COLUMNS];
#pragma unroll
      for (int j = 0; j < COLUMNS; ++j) value[j] = pieces[i][j];
      for (int split = 1; split < args.splits; ++split) {
        int64_t row = static_cast<int64_t>(split) * args.slots + positions[i];
        Piece<Row, COLUMNS> part;
        part.load(rows + row * args.dModel);
#pragma unroll
        for (int j = 0; j < COLUMNS; ++j) value[j] += part[j];
      }
#pragma unroll
      for (int j = 0; j < COLUMNS; ++j) total[j] = fmaf(gates[i], value[j], total[j]);
    }
  }
  Out* out = static_cast<Out*>(args.out) + static_cast<int64_t>(token) * args.dModel + column;
  if (args.accumulate) {
#pragma unroll
    for (int j = 0; j < COLUMNS; ++j) total[j] += toFloat(out[j]);
  }
  store(total, out);
}

}  // namespace moe

#define MOE_COMBINE(NAME, ROW, OUT, COLUMNS, BATCH)               \
  extern "C" __global__ void __launch_bounds__(256)               \
      NAME(const __grid_constant__ moe::CombineArgs args) {       \
    moe::combine<ROW, OUT, COLUMNS, BATCH>(args);                 \
  }

MOE_COMBINE(moe_combine_bf16_bf16, moe::bf16, moe::bf16, 8, 8)
MOE_COMBINE(moe_combine_bf16_f32, moe::bf16, float, 8, 8)
MOE_COMBINE(moe_combine_f32_bf16, float, moe::bf16, 8, 4)
MOE_COMBINE(moe_combine_f32_f32, float, float, 8, 4)
MOE_COMBINE(moe_combine_two_bf16_bf16, moe::bf16, moe::bf16, 8, 2)
MOE_COMBINE(moe_combine_two_bf16_f32, moe::bf16, float, 8, 2)
MOE_COMBINE(moe_combine_two_f32_bf16, float, moe::bf16, 8, 2)
MOE_COMBINE(moe_combine_two_f32_f32, float, float, 8, 2)
MOE_COMBINE(moe_combine_f16_f32, moe::f16, float, 8, 8)
MOE_COMBINE(moe_combine_two_f16_f32, moe::f16, float, 8, 2)
MOE_COMBINE(moe_combine_any_bf16_bf16, moe::bf16, moe::bf16, 1, 4)
MOE_COMBINE(moe_combine_any_f32_f32, float, float, 1, 4)
