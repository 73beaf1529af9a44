// moe_linear: y[r] = activation(W_g · x[r] + b_g) for the rows of all groups: dense with one group,
// the experts of a MoE block with many. Fuses the gather of rows, bias and activation.
//
// x            F32 [*, in]; row r is x[assignments[r] / topK], or x[r] without assignments
// assignments  I32 [rows] or null
// offsets      I32 [groups + 1]: the rows of each group; null: one group of `rows`
// weight       F32, BF16 (…_bf16w) or f16 (moe_linear_few_f16w) [groups, out, in]
// bias         F32 [groups, out] or null
// pre          F32 [rows, out] or null: what the activation was applied to, for the backward
// y            F32 [rows, out]
//
// moe_linear_ARITHMETIC_TILE[_bf16w]. Launch: block = 256, shared = 0,
//   grid = (ceil(out / TILE), ceil(rows / TILE) + (offsets ? groups : 0)).
// moe_linear_few[_bf16w, _f16w]: one warp an output of a row, for a handful of rows. Launch: block = 256,
//   grid = (ceil(out / 8), rows), shared = 0. `vector`: 1 if 4 neighbours of x and weight can be
//   loaded at once, 3 if besides the weights are older than the kernels that may still run.
#include "dependent.cuh"
#include "few_half.cuh"
#include "gemm.cuh"
#include "prefetch.cuh"
#include "reduce.cuh"

namespace moe {

template <int TILE, class Arithmetic, class W>
__device__ __forceinline__ void linear(
    const float* x, const int* assignments, const int* offsets, const W* weight, const float* bias,
    float* pre, float* y, int groups, int rows, int topK, int in, int out, int activation,
    int vector) {
  GroupTile tile = groupTile(offsets, groups, rows, TILE, blockIdx.y);
  if (tile.count <= 0) return;
  int firstOutput = blockIdx.x * TILE;
  const W* matrix = weight + static_cast<int64_t>(tile.group) * out * in;
  RowSource<TILE, float> left(
      [&](int i) -> const float* {
        if (i >= tile.count) return nullptr;
        int row = tile.first + i;
        if (assignments) row = assignments[row] / topK;
        return x + static_cast<int64_t>(row) * in;
      },
      vector);
  RowSource<TILE, W> right(
      [&](int j) -> const W* {
        return firstOutput + j < out ? matrix + static_cast<int64_t>(firstOutput + j) * in : nullptr;
      },
      vector);
  const float* biases = bias ? bias + static_cast<int64_t>(tile.group) * out : nullptr;
  gemm<TILE, Arithmetic>(left, right, in, [&](int i, int j, float value) {
    int output = firstOutput + j;
    if (i >= tile.count || output >= out) return;
    int64_t at = static_cast<int64_t>(tile.first + i) * out + output;
    if (biases) value += biases[output];
    if (pre) pre[at] = value;
    y[at] = activateExact(activation, value);
  });
}

template <class W>
__device__ __forceinline__ void linearFew(
    const float* x, const int* assignments, const int* offsets, const W* weight, const float* bias,
    float* pre, float* y, int groups, int rows, int topK, int in, int out, int activation,
    int vector) {
  int row = blockIdx.y;
  int output = blockIdx.x * 8 + (threadIdx.x >> 5), lane = threadIdx.x & 31;
  bool early = vector == 3 && !offsets && output < out;
  FewWeights<W> ahead;
  if (early) ahead.load(weight + static_cast<int64_t>(output) * in, in, 0, FEW_STEP);
  if (bias && !offsets && output < out && lane == 0) prefetchLine(bias + output);
  awaitPredecessor();
  releaseSuccessor();
  int group = 0;
  if (offsets) {
    while (group < groups && row >= offsets[group + 1]) ++group;
    if (group == groups) return;
  }
  if (output >= out) return;
  int source = assignments ? assignments[row] / topK : row;
  const float* from = x + static_cast<int64_t>(source) * in;
  const W* weights = weight + (static_cast<int64_t>(group) * out + output) * in;
  float shift = bias ? bias[static_cast<int64_t>(group) * out + output] : 0.0f;  // under way early
  float value;
  if (vector) {
    value = fewProduct<W>(weights, from, in, 0, FEW_STEP, early ? &ahead : nullptr);
  } else {
    value = 0.0f;
    for (int k = lane; k < in; k += 32) value = fmaf(from[k], toFloat(weights[k]), value);
    value = warpSum(value);
  }
  if (lane != 0) return;
  value += shift;
  int64_t at = static_cast<int64_t>(row) * out + output;
  if (pre) pre[at] = value;
  y[at] = activateExact(activation, value);
}

}  // namespace moe

#define MOE_LINEAR(NAME, TILE, ARITHMETIC, W)                                                    \
  extern "C" __global__ void __launch_bounds__(256) NAME(                                        \
      const float* x, const int* assignments, const int* offsets, const W* weight,               \
      const float* bias, float* pre, float* y, int groups, int rows, int topK, int in, int out,  \
      int activation, int vector) {                                                              \
    moe::linear<TILE, moe::ARITHMETIC<TILE>, W>(x, assignments, offsets, weight, bias, pre, y,   \
                                                groups, rows, topK, in, out, activation,         \
                                                vector);                                         \
  }

MOE_LINEAR(moe_linear_f32_64, 64, FmaTile, float)
MOE_LINEAR(moe_linear_f32_128, 128, FmaTile, float)
MOE_LINEAR(moe_linear_tf32_64, 64, Tf32Tile, float)
MOE_LINEAR(moe_linear_tf32_128, 128, Tf32Tile, float)
MOE_LINEAR(moe_linear_f32_64_bf16w, 64, FmaTile, moe::bf16)
MOE_LINEAR(moe_linear_f32_128_bf16w, 128, FmaTile, moe::bf16)
MOE_LINEAR(moe_linear_tf32_64_bf16w, 64, Tf32Tile, moe::bf16)
MOE_LINEAR(moe_linear_tf32_128_bf16w, 128, Tf32Tile, moe::bf16)

#define MOE_LINEAR_FEW(NAME, W)                                                                 \
  extern "C" __global__ void __launch_bounds__(256) NAME(                                       \
      const float* x, const int* assignments, const int* offsets, const W* weight,              \
      const float* bias, float* pre, float* y, int groups, int rows, int topK, int in, int out, \
      int activation, int vector) {                                                             \
    moe::linearFew<W>(x, assignments, offsets, weight, bias, pre, y, groups, rows, topK, in, out, \
                      activation, vector);                                                        \
  }

MOE_LINEAR_FEW(moe_linear_few, float)
MOE_LINEAR_FEW(moe_linear_few_bf16w, moe::bf16)
MOE_LINEAR_FEW(moe_linear_few_f16w, moe::f16)
