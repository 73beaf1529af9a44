// Products of a handful of rows by weights of binary16.
#pragma once

#include "few.cuh"
#include "half.cuh"

namespace moe {

template <>
struct Four<f16> {
  uint2 raw = make_uint2(0, 0);

  __device__ __forceinline__ void load(const f16* from) {
    raw = __ldg(reinterpret_cast<const uint2*>(from));
  }
  __device__ __forceinline__ float4 values() const {
    float2 low = unpackHalves<f16>(raw.x), high = unpackHalves<f16>(raw.y);
    return make_float4(low.x, low.y, high.x, high.y);
  }
};

}  // namespace moe
