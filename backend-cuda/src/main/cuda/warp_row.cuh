// A row of float32 in the registers of a warp.
#pragma once

#include "numeric.cuh"

namespace moe {

/// A warp's row, 4 neighbours of every 128 a lane.
template <int FOURS>
struct WarpRow {
  float4 fours[FOURS];

  /// Numbers beyond the width become 0.
  __device__ __forceinline__ void load(const float* row, int width) {
#pragma unroll
    for (int i = 0; i < FOURS; ++i) {
      int at = i * 128 + (threadIdx.x & 31) * 4;
      fours[i] = at < width ? *reinterpret_cast<const float4*>(row + at) : make_float4(0, 0, 0, 0);
    }
  }

  __device__ __forceinline__ void store(float* row, int width) const {
#pragma unroll
    for (int i = 0; i < FOURS; ++i) {
      int at = i * 128 + (threadIdx.x & 31) * 4;
      if (at < width) *reinterpret_cast<float4*>(row + at) = fours[i];
    }
  }

  /// Stores the row rounded, beginning at a multiple of 8 bytes.
  __device__ __forceinline__ void store(bf16* row, int width) const {
#pragma unroll
    for (int i = 0; i < FOURS; ++i) {
      int at = i * 128 + (threadIdx.x & 31) * 4;
      float4 v = fours[i];
      if (at < width) *reinterpret_cast<uint2*>(row + at) = make_uint2(packBf16(v.x, v.y), packBf16(v.z, v.w));
    }
  }

  /// Calls work(number, column) for each of this lane's numbers in the row.
  template <class Work>
  __device__ __forceinline__ void each(int width, Work work) {
#pragma unroll
    for (int i = 0; i < FOURS; ++i) {
      int at = i * 128 + (threadIdx.x & 31) * 4;
      if (at >= width) continue;
      work(fours[i].x, at);
      work(fours[i].y, at + 1);
      work(fours[i].z, at + 2);
      work(fours[i].w, at + 3);
    }
  }
};

}  // namespace moe
