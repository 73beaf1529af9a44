// moe_linear_back_input: dX[r] = (W_gᵀ · dY[r]) ∘ activation′(pre[r]) for the rows of all groups:
// the gradient of moe_linear with respect to its rows, and through the activation before it.
//
// dY       F32 [rows, out]
// offsets  I32 [groups + 1]: the rows of each group; null: one group of `rows`
// weight   F32 [groups, out, in]
// pre      F32 [rows, in] or null: then nothing is multiplied
// dX       F32 [rows, in], added to if `accumulate`
//
// Launch: block = 256, grid = (ceil(in / TILE), ceil(rows / TILE) + (offsets ? groups : 0)),
//   shared = 0.
#include "gemm.cuh"

namespace moe {

template <int TILE, class Arithmetic>
__device__ __forceinline__ void linearBackInput(
    const float* dY, const int* offsets, const float* weight, const float* pre, float* dX,
    int groups, int rows, int in, int out, int activation, int accumulate, int vector) {
  GroupTile tile = groupTile(offsets, groups, rows, TILE, blockIdx.y);
  if (tile.count <= 0) return;
  int firstColumn = blockIdx.x * TILE;
  const float* matrix = weight + static_cast<int64_t>(tile.group) * out * in;
  RowSource<TILE, float> left(
      [&](int i) -> const float* {
        return i < tile.count ? dY + static_cast<int64_t>(tile.first + i) * out : nullptr;
      },
      vector & 1);
  auto stepOf = [&](int k) -> const float* { return matrix + static_cast<int64_t>(k) * in; };
  auto right = stepSource<TILE, float>(stepOf, firstColumn, in, vector & 2);
  gemm<TILE, Arithmetic>(left, right, out, [&](int i, int j, float value) {
    int column = firstColumn + j;
    if (i >= tile.count || column >= in) return;
    int64_t at = static_cast<int64_t>(tile.first + i) * in + column;
    if (pre) value *= activationSlope(activation, pre[at]);
    dX[at] = accumulate ? dX[at] + value : value;
  });
}

}  // namespace moe

#define MOE_LINEAR_BACK_INPUT(NAME, TILE, ARITHMETIC)                                           \
  extern "C" __global__ void __launch_bounds__(256) NAME(                                       \
      const float* dY, const int* offsets, const float* weight, const float* pre, float* dX,    \
      int groups, int rows, int in, int out, int activation, int accumulate, int vector) {      \
    moe::linearBackInput<TILE, moe::ARITHMETIC<TILE>>(dY, offsets, weight, pre, dX, groups,     \
                                                      rows, in, out, activation, accumulate,    \
                                                      vector);                                  \
  }

MOE_LINEAR_BACK_INPUT(moe_linear_back_input_f32_64, 64, FmaTile)
MOE_LINEAR_BACK_INPUT(moe_linear_back_input_f32_128, 128, FmaTile)
MOE_LINEAR_BACK_INPUT(moe_linear_back_input_tf32_64, 64, Tf32Tile)
MOE_LINEAR_BACK_INPUT(moe_linear_back_input_tf32_128, 128, Tf32Tile)
