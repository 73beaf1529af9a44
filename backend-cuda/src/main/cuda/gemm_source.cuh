// The operands of a matrix product on any GPU and the stages in shared memory that they fill: 16 steps
// of k for the TILE rows or columns of a block's tile. Algorithm: gemm.cuh.
//
// An operand is a matrix whose rows (the tile's rows or columns) or whose steps lie contiguous:
//   RowSource   row(i) + k: rows are contiguous in k, as of W [out, in] in W·x
//   StepSource  step(k) + i: steps are contiguous in i, as of W [out, in] in Wᵀ·y
// `load` brings a thread's share of a stage to registers, 4 neighbours a load, zeros beyond the edges;
// `store` puts it to shared memory, [step][row]. `vector` says that 16-byte loads are aligned.
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

}  // namespace moe
