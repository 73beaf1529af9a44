// What 256 threads add up of a tile of TILE x TILE from stages in shared memory, [step][row] of either
// operand: by fused multiply-adds in float32 (FmaTile), or by tensor cores with inputs rounded to 10
// fraction bits (Tf32Tile). `prepare` rounds a number on its way to a stage, `multiply` adds a stage,
// `finish` hands each element of the tile to `store(i, j, value)`. Algorithm: gemm.cuh.
#pragma once

#include "gemm_source.cuh"

namespace moe {

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

}  // namespace moe
