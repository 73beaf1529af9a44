// moe_half_linear: out[r] = activation(W_g · x[r] + b_g) for the rows of all groups, in bf16 or
// binary16 on tensor cores of any GPU since compute capability 8.0; moe_half_gated: out[r] =
// activation(V_g · x[r] + c_g) ∘ (W_g · x[r] + b_g). Dense with one group, the experts of a MoE block
// with many. Algorithm: half_gemm.cuh. Fuses the gather of rows, bias and activation.
//
// x            T [*, in]; row r is x[assignments[r] / topK], or x[r] without assignments
// assignments  I32 [slots] or null
// offsets      I32 [groups + 1]: the rows of each group; null: one group of `slots`
// weight       T [groups, out, in], in a multiple of 8
// gate         the same; of moe_half_gated
// biases       F32 [groups, out] or null
// out          F32 or T [parts, slots, out]; each of `parts` adds up a part of k, the first adds the
//              bias: with more than one, out is F32 and there is no activation
//
// moe_half_linear_T_TILE, moe_half_gated_T_TILE. Launch: block = 256, shared = halfSharedBytes(TILE),
//   grid = (ceil(slots / TILE) + (offsets ? groups : 0), ceil(out / COLUMNS), parts), COLUMNS = TILE,
//   of gated ones TILE / 2. Parameters: HalfForward by value.
#include "dependent.cuh"
#include "half_gemm.cuh"

namespace moe {

struct HalfForward {
  const int* assignments;
  const int* offsets;
  const float* bias;
  const float* gateBias;
  const void* x;
  const void* weight;
  const void* gate;
  void* out;
  int groups;
  int topK;
  int in;
  int width;  // out
  int slots;
  int activation;
  int floats;  // whether out is F32
};

template <int TILE, class T, bool GATED>
__device__ __forceinline__ void halfForward(uint8_t* shared, const HalfForward& args) {
  awaitPredecessor();
  releaseSuccessor();
  GroupTile tile = groupTile(args.offsets, args.groups, args.slots, TILE, blockIdx.x);
  if (tile.count <= 0) return;
  int firstOutput = blockIdx.y * (GATED ? TILE / 2 : TILE);
  const T* x = static_cast<const T*>(args.x);
  int64_t base = static_cast<int64_t>(tile.group) * args.width;
  const T* weight = static_cast<const T*>(args.weight) + base * args.in;
  const T* gate = static_cast<const T*>(args.gate) + (GATED ? base * args.in : 0);
  HalfRows<TILE, T> left(
      [&](int i) -> const T* {
        if (i >= tile.count) return nullptr;
        int row = tile.first + i;
        if (args.assignments) row = args.assignments[row] / args.topK;
        return x + static_cast<int64_t>(row) * args.in;
      },
      x, args.in);
  HalfRows<TILE, T> right(
      [&](int j) -> const T* {
        const T* matrix = weight;
        if constexpr (GATED) {  // turns of 8 rows of each
          matrix = j & 8 ? weight : gate;
          j = (j >> 4) * 8 + (j & 7);
        }
        int output = firstOutput + j;
        return output < args.width ? matrix + static_cast<int64_t>(output) * args.in : nullptr;
      },
      weight, args.in);
  int stages = (args.in + HALF_STEP - 1) / HALF_STEP;
  int part = blockIdx.z, parts = gridDim.z;
  HalfSums<TILE, T> sums;
  sums.multiply(shared, left, right, stages * part / parts * HALF_STEP,
                min(args.in, stages * (part + 1) / parts * HALF_STEP));
  const float* bias = args.bias && part == 0 ? args.bias + base : nullptr;
  int64_t firstRow = static_cast<int64_t>(part) * args.slots + tile.first;
  if constexpr (GATED) {
    const float* gateBias = args.gateBias ? args.gateBias + base : nullptr;
    sums.finishTurns([&](int i, int j, float a, float b) {
      int output = firstOutput + j;
      if (i >= tile.count || output >= args.width) return;
      if (gateBias) a += gateBias[output];
      if (bias) b += bias[output];
      float value = activateExact(args.activation, a) * b;
      int64_t at = (firstRow + i) * args.width + output;
      if (args.floats) {
        static_cast<float*>(args.out)[at] = value;
      } else {
        static_cast<T*>(args.out)[at] = fromFloat<T>(value);
      }
    });
  } else {
    sums.finish([&](int i, int j, float low, float high) {
      int output = firstOutput + j;
      if (i >= tile.count || output >= args.width) return;
      if (bias) {
        low += bias[output];
        if (output + 1 < args.width) high += bias[output + 1];
      }
      storeHalves<T>(args.out, args.floats, firstRow + i, output, args.width,
                     activateExact(args.activation, low), activateExact(args.activation, high));
    });
  }
}

}  // namespace moe

#define MOE_HALF_FORWARD(NAME, TILE, T, GATED)               \
  extern "C" __global__ void __launch_bounds__(256, 2)       \
      NAME(const __grid_constant__ moe::HalfForward args) {  \
    MOE_DYNAMIC_SHARED(uint4, shared);                       \
    moe::halfForward<TILE, moe::T, GATED>(reinterpret_cast<uint8_t*>(shared), args); \
  }

MOE_HALF_FORWARD(moe_half_linear_bf16_64, 64, bf16, false)
MOE_HALF_FORWARD(moe_half_linear_bf16_128, 128, bf16, false)
MOE_HALF_FORWARD(moe_half_gated_bf16_64, 64, bf16, true)
MOE_HALF_FORWARD(moe_half_gated_bf16_128, 128, bf16, true)
MOE_HALF_FORWARD(moe_half_linear_f16_64, 64, f16, false)
MOE_HALF_FORWARD(moe_half_linear_f16_128, 128, f16, false)
MOE_HALF_FORWARD(moe_half_gated_f16_64, 64, f16, true)
MOE_HALF_FORWARD(moe_half_gated_f16_128, 128, f16, true)
