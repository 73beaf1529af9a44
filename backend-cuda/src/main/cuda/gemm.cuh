// One core for all matrix products on any GPU: tiles of TILE x TILE in float32, 256 threads, two
// stages of 16 steps in shared memory. Multiplied by fused multiply-adds (float32 precision), or by
// tensor cores with inputs rounded to 10 fraction bits (TF32): gemm_tile.cuh. Operands of either order,
// edges masked, nothing aligned of necessity: gemm_source.cuh.
#pragma once

#include "gemm_source.cuh"
#include "gemm_tile.cuh"

namespace moe {

/// Adds up the product over `steps` and hands each element of the tile to `store(i, j, value)`,
/// those beyond the edges too.
template <int TILE, class Arithmetic, class Left, class Right, class Store>
__device__ __forceinline__ void gemm(const Left& leftSource, const Right& rightSource, int steps,
                                     Store store) {
  __shared__ __align__(16) float left[2][GEMM_STEP][TILE + GEMM_PAD];
  __shared__ __align__(16) float right[2][GEMM_STEP][TILE + GEMM_PAD];
  constexpr int LOADS = TILE / 64;
  Arithmetic tile;
  float4 a[LOADS], b[LOADS];
  leftSource.load(a, 0, steps);
  rightSource.load(b, 0, steps);
  int stage = 0;
  for (int k = 0; k < steps; k += GEMM_STEP) {
#pragma unroll
    for (int i = 0; i < LOADS; ++i) {
      a[i] = Arithmetic::prepare(a[i]);
      b[i] = Arithmetic::prepare(b[i]);
    }
    leftSource.store(a, left[stage]);
    rightSource.store(b, right[stage]);
    // One barrier a stage: nobody writes a stage before all have passed the barrier that follows
    // its last use.
    __syncthreads();
    if (k + GEMM_STEP < steps) {
      leftSource.load(a, k + GEMM_STEP, steps);
      rightSource.load(b, k + GEMM_STEP, steps);
    }
    tile.multiply(left[stage], right[stage]);
    stage ^= 1;
  }
  tile.finish(store);
}

/// A tile of rows of one group; `count` 0 if this block has none.
struct GroupTile {
  int group;
  int first;
  int count;
};

/// Finds the tile of a block among the groups' rows. Without offsets there is one group of `rows`.
__device__ __forceinline__ GroupTile groupTile(const int* offsets, int groups, int rows, int size,
                                               int index) {
  if (!offsets) return {0, index * size, max(0, min(size, rows - index * size))};
  int begin = offsets[0];
  for (int group = 0; group < groups; ++group) {
    int end = offsets[group + 1];
    int tiles = (end - begin + size - 1) / size;
    if (index < tiles) {
      return {group, begin + index * size, min(size, end - begin - index * size)};
    }
    index -= tiles;
    begin = end;
  }
  return {0, 0, 0};
}

}  // namespace moe
