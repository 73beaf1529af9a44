// One core for all matrix products on any GPU: tiles of TILE x TILE in float32, 256 threads, two
// stages of 16 steps in shared memory. Multiplied by fused multiply-adds (float32 precision), or by
// tensor cores with inputs rounded to 10 fraction bits (TF32). Edges are masked, nothing needs to be
// aligned; `vector` says that 16-byte loads are.
//
// An operand is a matrix whose rows (the tile's rows or columns) or whose steps lie contiguous:
//   RowSource   row(i) + k: rows are contiguous in k, as of W [out, in] in W·x
//   StepSource  step(k) + i: steps are contiguous in i, as of W [out, in] in Wᵀ·y
#pragma once

#include "numeric.cuh"

namespace moe {

constexpr int GEMM_STEP = 16;     // steps of k in a stage
constexpr int GEMM_BLOCK = 256;   // threads
constexpr int GEMM_PAD = 8;       // floats; rows then start 8 banks apart, as mma fragments want it

/// The first `valid` of 4 neighbours, zeros for the rest.
__device__ __forceinline__ float4 load4(const float* from, int valid, bool vector) {
  if (vector && valid >= 4) return __ldg(reinterpret_cast<const float4*>(from));
  float4 value = make_float4(0, 0, 0, 0);
  if (valid > 0) value.x = __ldg(from);
  if (valid > 1) value.y = __ldg(from + 1);
  if (valid > 2) value.z = __ldg(from + 2);
  if (valid > 3) value.w = __ldg(from + 3);
  return value;
}

__device__ __forceinline__ float4 load4(const bf16* from, int valid, bool vector) {
  if (vector && valid >= 4) {
    uint2 raw = __ldg(reinterpret_cast<const uint2*>(from));
    return make_float4(__uint_as_float(raw.x << 16), __uint_as_float(raw.x & 0xFFFF0000u),
                       __uint_as_float(raw.y << 16), __uint_as_float(raw.y & 0xFFFF0000u));
  }
  float4 value = make_float4(0, 0, 0, 0);
  if (valid > 0) value.x = toFloat(from[0]);
  if (valid > 1) value.y = toFloat(from[1]);
  if (valid > 2) value.z = toFloat(from[2]);
  if (valid > 3) value.w = toFloat(from[3]);
  return value;
}

/// Rows contiguous in k. A thread always loads from the same rows, so their addresses stay in
/// registers.
template <int TILE, class T>
struct RowSource {
  static constexpr int LOADS = TILE / 64;
  const T* rows[LOADS];
  bool vector;

  /// @param rowOf i -> address of row i, null beyond the edge
  template <class RowOf>
  __device__ RowSource(RowOf rowOf, bool vector) : vector(vector) {
#pragma unroll
    for (int i = 0; i < LOADS; ++i) rows[i] = rowOf((threadIdx.x >> 2) + i * 64);
  }

  __device__ __forceinline__ void load(float4 (&values)[LOADS], int k, int steps) const {
    int at = k + (threadIdx.x & 3) * 4;
#pragma unroll
    for (int i = 0; i < LOADS; ++i) {
      values[i] = load4(rows[i] + at, rows[i] ? steps - at : 0, vector);
    }
  }

  __device__ __forceinline__ void store(const float4 (&values)[LOADS],
                                        float (&to)[GEMM_STEP][TILE + GEMM_PAD]) const {
    int k = (threadIdx.x & 3) * 4;
#pragma unroll
    for (int i = 0; i < LOADS; ++i) {
      int row = (threadIdx.x >> 2) + i * 64;
      to[k][row] = values[i].x;
      to[k + 1][row] = values[i].y;
      to[k + 2][row] = values[i].z;
      to[k + 3][row] = values[i].w;
    }
  }
};

/// Steps contiguous in the tile's dimension.
/// @tparam StepOf k -> address of element 0 of step k
template <int TILE, class T, class StepOf>
struct StepSource {
  static constexpr int LOADS = TILE / 64;
  static constexpr int QUADS = TILE / 4;
  StepOf stepOf;
  int first;  // of the tile
  int extent;
  bool vector;

  __device__ __forceinline__ void load(float4 (&values)[LOADS], int k, int steps) const {
#pragma unroll
    for (int i = 0; i < LOADS; ++i) {
      int piece = threadIdx.x + i * GEMM_BLOCK;
      int step = k + piece / QUADS;
      int at = first + piece % QUADS * 4;
      bool inside = step < steps;
      values[i] = load4(inside ? stepOf(step) + at : nullptr, inside ? extent - at : 0, vector);
    }
  }

  __device__ __forceinline__ void store(const float4 (&values)[LOADS],
                                        float (&to)[GEMM_STEP][TILE + GEMM_PAD]) const {
#pragma unroll
    for (int i = 0; i < LOADS; ++i) {
      int piece = threadIdx.x + i * GEMM_BLOCK;
      *reinterpret_cast<float4*>(&to[piece / QUADS][piece % QUADS * 4]) = values[i];
    }
  }
};

template <int TILE, class T, class StepOf>
__device__ __forceinline__ StepSource<TILE, T, StepOf> stepSource(
    StepOf stepOf, int first, int extent, bool vector) {
  return {stepOf, first, extent, vector};
}

__device__ __forceinline__ float roundTf32(float value) {
#ifdef MOE_EMULATED
  return emulatedTf32(value);
#else
  uint32_t bits;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(value));
  return __uint_as_float(bits);
#endif
}

__device__ __forceinline__ float4 roundTf32(float4 v) {
  return make_float4(roundTf32(v.x), roundTf32(v.y), roundTf32(v.z), roundTf32(v.w));
}

__device__ __forceinline__ void multiplyTf32(float (&d)[4], const float (&a)[4],
                                             const float (&b)[2]) {
#ifdef MOE_EMULATED
  emulatedMmaTf32(d, a, b);
#else
  asm volatile(
      "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, "
      "{%8, %9}, {%0, %1, %2, %3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(__float_as_uint(a[0])), "r"(__float_as_uint(a[1])), "r"(__float_as_uint(a[2])),
        "r"(__float_as_uint(a[3])), "r"(__float_as_uint(b[0])), "r"(__float_as_uint(b[1])));
#endif
}

/// A thread's part of a tile in float32: groups of 4 x 4 neighbours, 64 apart.
template <int TILE>
struct FmaTile {
  static constexpr int PARTS = TILE / 64;
  float sums[PARTS][4][PARTS][4] = {};

  __device__ __forceinline__ static float4 prepare(float4 value) { return value; }

  __device__ __forceinline__ void multiply(const float (&left)[GEMM_STEP][TILE + GEMM_PAD],
                                           const float (&right)[GEMM_STEP][TILE + GEMM_PAD]) {
    int x = (threadIdx.x & 15) * 4, y = (threadIdx.x >> 4) * 4;
#pragma unroll
    for (int k = 0; k < GEMM_STEP; ++k) {
      float a[PARTS][4], b[PARTS][4];
#pragma unroll
      for (int p = 0; p < PARTS; ++p) {
        *reinterpret_cast<float4*>(a[p]) = *reinterpret_cast<const float4*>(&left[k][y + p * 64]);
        *reinterpret_cast<float4*>(b[p]) = *reinterpret_cast<const float4*>(&right[k][x + p * 64]);
      }
#pragma unroll
      for (int p = 0; p < PARTS; ++p) {
#pragma unroll
        for (int i = 0; i < 4; ++i) {
#pragma unroll
          for (int q = 0; q < PARTS; ++q) {
#pragma unroll
            for (int j = 0; j < 4; ++j) {
              sums[p][i][q][j] = fmaf(a[p][i], b[q][j], sums[p][i][q][j]);
            }
          }
        }
      }
    }
  }

  template <class Store>
  __device__ __forceinline__ void finish(Store store) const {
    int x = (threadIdx.x & 15) * 4, y = (threadIdx.x >> 4) * 4;
#pragma unroll
    for (int p = 0; p < PARTS; ++p) {
#pragma unroll
      for (int i = 0; i < 4; ++i) {
#pragma unroll
        for (int q = 0; q < PARTS; ++q) {
#pragma unroll
          for (int j = 0; j < 4; ++j) store(y + p * 64 + i, x + q * 64 + j, sums[p][i][q][j]);
        }
      }
    }
  }
};

/// A thread's part of a tile on tensor cores: 4 x 2 warps of (TILE / 4) x (TILE / 2).
template <int TILE>
struct Tf32Tile {
  static constexpr int ROWS = TILE / 64;     // of 16
  static constexpr int COLUMNS = TILE / 16;  // of 8
  float sums[ROWS][COLUMNS][4] = {};

  __device__ __forceinline__ static float4 prepare(float4 value) { return roundTf32(value); }

  __device__ __forceinline__ static int firstRow() { return (threadIdx.x >> 6) * (TILE / 4); }
  __device__ __forceinline__ static int firstColumn() {
    return (threadIdx.x >> 5 & 1) * (TILE / 2);
  }

  __device__ __forceinline__ void multiply(const float (&left)[GEMM_STEP][TILE + GEMM_PAD],
                                           const float (&right)[GEMM_STEP][TILE + GEMM_PAD]) {
    int lane = threadIdx.x & 31, group = lane >> 2, member = lane & 3;
#pragma unroll
    for (int k = 0; k < GEMM_STEP; k += 8) {
      float a[ROWS][4], b[COLUMNS][2];
#pragma unroll
      for (int r = 0; r < ROWS; ++r) {
        int row = firstRow() + r * 16 + group;
        a[r][0] = left[k + member][row];
        a[r][1] = left[k + member][row + 8];
        a[r][2] = left[k + member + 4][row];
        a[r][3] = left[k + member + 4][row + 8];
      }
#pragma unroll
      for (int c = 0; c < COLUMNS; ++c) {
        int column = firstColumn() + c * 8 + group;
        b[c][0] = right[k + member][column];
        b[c][1] = right[k + member + 4][column];
      }
#pragma unroll
      for (int r = 0; r < ROWS; ++r) {
#pragma unroll
        for (int c = 0; c < COLUMNS; ++c) multiplyTf32(sums[r][c], a[r], b[c]);
      }
    }
  }

  template <class Store>
  __device__ __forceinline__ void finish(Store store) const {
    int lane = threadIdx.x & 31, group = lane >> 2, member = lane & 3;
#pragma unroll
    for (int r = 0; r < ROWS; ++r) {
#pragma unroll
      for (int c = 0; c < COLUMNS; ++c) {
#pragma unroll
        for (int i = 0; i < 4; ++i) {
          store(firstRow() + r * 16 + group + (i >> 1) * 8, firstColumn() + c * 8 + member * 2 + (i & 1),
                sums[r][c][i]);
        }
      }
    }
  }
};

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
