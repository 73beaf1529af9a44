// Products of a handful of rows: warps read rows of weights at memory speed, 4 numbers a lane at a
// time, all loads of a batch under way together.
#pragma once

#include "numeric.cuh"
#include "reduce.cuh"

namespace moe {

constexpr int FEW_BATCH = 6;  // of 128 columns: 768 at once
constexpr int FEW_STEP = 128;

/// 4 neighbours as they lie in memory.
template <class W>
struct Four;

template <>
struct Four<float> {
  float4 raw = make_float4(0, 0, 0, 0);

  __device__ __forceinline__ void load(const float* from) {
    raw = __ldg(reinterpret_cast<const float4*>(from));
  }
  __device__ __forceinline__ float4 values() const { return raw; }
};

template <>
struct Four<bf16> {
  uint2 raw = make_uint2(0, 0);

  __device__ __forceinline__ void load(const bf16* from) {
    raw = __ldg(reinterpret_cast<const uint2*>(from));
  }
  __device__ __forceinline__ float4 values() const {
    return make_float4(__uint_as_float(raw.x << 16), __uint_as_float(raw.x & 0xFFFF0000u),
                       __uint_as_float(raw.y << 16), __uint_as_float(raw.y & 0xFFFF0000u));
  }
};

/// A batch of steps of a row of weights in a warp's registers.
template <class W>
struct FewWeights {
  Four<W> pieces[FEW_BATCH];

  /// @param stride columns from step to step
  __device__ __forceinline__ void load(const W* row, int in, int first, int stride) {
#pragma unroll
    for (int i = 0; i < FEW_BATCH; ++i) {
      int at = first + i * stride + (threadIdx.x & 31) * 4;
      if (at < in) pieces[i].load(row + at);
    }
  }

  __device__ __forceinline__ void multiply(
      const float* x, int in, int first, int stride, float (&sums)[4]) const {
    float4 rows[FEW_BATCH];
#pragma unroll
    for (int i = 0; i < FEW_BATCH; ++i) {
      int at = first + i * stride + (threadIdx.x & 31) * 4;
      rows[i] = at < in ? *reinterpret_cast<const float4*>(x + at) : make_float4(0, 0, 0, 0);
    }
#pragma unroll
    for (int i = 0; i < FEW_BATCH; ++i) {
      int at = first + i * stride + (threadIdx.x & 31) * 4;
      if (at >= in) continue;
      float4 w = pieces[i].values();
      sums[0] = fmaf(rows[i].x, w.x, sums[0]);
      sums[1] = fmaf(rows[i].y, w.y, sums[1]);
      sums[2] = fmaf(rows[i].z, w.z, sums[2]);
      sums[3] = fmaf(rows[i].w, w.w, sums[3]);
    }
  }
};

/// The product of a row of weights and x, or of each `stride / 128`th step of them; known to the
/// whole warp. in is a multiple of 4, both are aligned to 4 numbers.
/// @param ahead the first batch, loaded before; null if it was not
template <class W>
__device__ __forceinline__ float fewProduct(const W* row, const float* x, int in, int first = 0,
                                            int stride = FEW_STEP,
                                            const FewWeights<W>* ahead = nullptr) {
  float sums[4] = {};
  if (ahead) {
    ahead->multiply(x, in, first, stride, sums);
    first += FEW_BATCH * stride;
  }
  for (; first < in; first += FEW_BATCH * stride) {
    FewWeights<W> batch;
    batch.load(row, in, first, stride);
    batch.multiply(x, in, first, stride, sums);
  }
  return warpSum((sums[0] + sums[1]) + (sums[2] + sums[3]));
}

}  // namespace moe
