// The two element types of 16 bits, and activations where the result keeps 10 fraction bits.
#pragma once

#include <cuda_fp16.h>

#include "numeric.cuh"

namespace moe {

using f16 = __half;

__device__ __forceinline__ float toFloat(f16 value) { return __half2float(value); }

template <>
__device__ __forceinline__ f16 fromFloat<f16>(float value) { return __float2half_rn(value); }

/// Two floats as a pair of T, `low` in the lower half. Beyond 65504 binary16 has infinity.
template <class T>
__device__ __forceinline__ uint32_t packHalves(float low, float high);
template <>
__device__ __forceinline__ uint32_t packHalves<bf16>(float low, float high) {
  return packBf16(low, high);
}
template <>
__device__ __forceinline__ uint32_t packHalves<f16>(float low, float high) {
  __half2 pair = __floats2half2_rn(low, high);
  return *reinterpret_cast<uint32_t*>(&pair);
}

/// A pair as floats.
template <class T>
__device__ __forceinline__ float2 unpackHalves(uint32_t pair);
template <>
__device__ __forceinline__ float2 unpackHalves<bf16>(uint32_t pair) {
  return make_float2(__uint_as_float(pair << 16), __uint_as_float(pair & 0xFFFF0000u));
}
template <>
__device__ __forceinline__ float2 unpackHalves<f16>(uint32_t pair) {
  return __half22float2(*reinterpret_cast<const __half2*>(&pair));
}

}  // namespace moe
