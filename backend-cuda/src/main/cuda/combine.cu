// moe_combine: out[t] = sum over k, in this order, of gates[t, k] · rows[positions[t · topK + k]].
// A gather, so there are no atomics and the same bits every time. Sums of split experts
// (splits > 1, see experts_down.cu) are added first, in order.
//
// rows       bf16 or F32 [splits, slots, dModel], sorted by expert
// positions  I32 [tokens, topK], -1 for an unused slot
// gates      F32 [tokens, topK]
// out        bf16 or F32 [tokens, dModel]
//
// moe_combine_ROWS_OUT: 8 columns a thread, dModel a multiple of 8. moe_combine_any_*: 1 column.
// Launch: grid = (tokens, ceil(dModel / columns a thread / block)), block <= 256, shared = 0.
//   Parameters: CombineArgs by value.
#include "numeric.cuh"
#include "sm90.cuh"

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
};

template <int COLUMNS>
__device__ __forceinline__ void load(float (&values)[COLUMNS], const bf16* from) {
  if constexpr (COLUMNS == 8) {
    uint4 raw = __ldg(reinterpret_cast<const uint4*>(from));
    uint32_t words[4] = {raw.x, raw.y, raw.z, raw.w};
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      values[2 * i] = __uint_as_float(words[i] << 16);
      values[2 * i + 1] = __uint_as_float(words[i] & 0xFFFF0000u);
    }
  } else {
    values[0] = toFloat(*from);
  }
}

template <int COLUMNS>
__device__ __forceinline__ void load(float (&values)[COLUMNS], const float* from) {
  if constexpr (COLUMNS == 8) {
    float4 low = __ldg(reinterpret_cast<const float4*>(from));
    float4 high = __ldg(reinterpret_cast<const float4*>(from) + 1);
    values[0] = low.x, values[1] = low.y, values[2] = low.z, values[3] = low.w;
    values[4] = high.x, values[5] = high.y, values[6] = high.z, values[7] = high.w;
  } else {
    values[0] = *from;
  }
}

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

template <class Row, class Out, int COLUMNS>
__device__ __forceinline__ void combine(const CombineArgs& args) {
  awaitPredecessor();
  releaseSuccessor();
  int token = blockIdx.x;
  int column = (blockIdx.y * blockDim.x + threadIdx.x) * COLUMNS;
  if (column >= args.dModel) return;
  const Row* rows = static_cast<const Row*>(args.rows) + column;
  float total[COLUMNS] = {};
#pragma unroll 8
  for (int k = 0; k < args.topK; ++k) {
    int slot = token * args.topK + k;
    int position = args.positions[slot];
    if (position >= 0) {
      float gate = args.gates[slot];
      float value[COLUMNS];
      load(value, rows + static_cast<int64_t>(position) * args.dModel);
      for (int split = 1; split < args.splits; ++split) {
        float part[COLUMNS];
        load(part, rows + (static_cast<int64_t>(split) * args.slots + position) * args.dModel);
#pragma unroll
        for (int i = 0; i < COLUMNS; ++i) value[i] += part[i];
      }
#pragma unroll
      for (int i = 0; i < COLUMNS; ++i) total[i] = fmaf(gate, value[i], total[i]);
    }
  }
  store(total, static_cast<Out*>(args.out) + static_cast<int64_t>(token) * args.dModel + column);
}

}  // namespace moe

#define MOE_COMBINE(NAME, ROW, OUT, COLUMNS)                      \
  extern "C" __global__ void __launch_bounds__(256)               \
      NAME(const __grid_constant__ moe::CombineArgs args) {       \
    moe::combine<ROW, OUT, COLUMNS>(args);                        \
  }

MOE_COMBINE(moe_combine_bf16_bf16, moe::bf16, moe::bf16, 8)
MOE_COMBINE(moe_combine_bf16_f32, moe::bf16, float, 8)
MOE_COMBINE(moe_combine_f32_bf16, float, moe::bf16, 8)
MOE_COMBINE(moe_combine_f32_f32, float, float, 8)
MOE_COMBINE(moe_combine_any_bf16_bf16, moe::bf16, moe::bf16, 1)
MOE_COMBINE(moe_combine_any_f32_f32, float, float, 1)
