// Element types and activations shared by all kernels.
#pragma once

#include <cuda_bf16.h>

#include <cstdint>

namespace moe {

using bf16 = __nv_bfloat16;

/// As moe.spi.device.Activation, by ordinal.
enum Activation : int { NONE = 0, GELU = 1, SILU = 2, RELU = 3 };

__device__ __forceinline__ float toFloat(float value) { return value; }
__device__ __forceinline__ float toFloat(bf16 value) { return __bfloat162float(value); }

template <class T>
__device__ __forceinline__ T fromFloat(float value);
template <>
__device__ __forceinline__ float fromFloat<float>(float value) { return value; }
template <>
__device__ __forceinline__ bf16 fromFloat<bf16>(float value) { return __float2bfloat16_rn(value); }

/// Two floats as bf16, `low` in the lower half.
__device__ __forceinline__ uint32_t packBf16(float low, float high) {
  __nv_bfloat162 pair = __floats2bfloat162_rn(low, high);
  return *reinterpret_cast<uint32_t*>(&pair);
}

/// Hyperbolic tangent to 11 bits, one instruction: enough where the result becomes bf16 (8 bits).
__device__ __forceinline__ float fastTanh(float x) {
  float y;
  asm("tanh.approx.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}

template <int KIND>
__device__ __forceinline__ float activateFast(float x) {
  if constexpr (KIND == GELU) {
    float half = 0.5f * x;
    float u = x * fmaf(0.0356774081f, x * x, 0.7978845608f);
    return fmaf(half, fastTanh(u), half);
  } else if constexpr (KIND == SILU) {
    float half = 0.5f * x;
    return fmaf(half, fastTanh(half), half);
  } else if constexpr (KIND == RELU) {
    return x < 0.0f ? 0.0f : x;
  } else {
    return x;
  }
}

/// To float32 precision.
__device__ __forceinline__ float activateExact(int kind, float x) {
  switch (kind) {
    case GELU: {
      float u = x * fmaf(0.0356774081f, x * x, 0.7978845608f);
      return 0.5f * x * (1.0f + tanhf(u));
    }
    case SILU:
      return x / (1.0f + expf(-x));
    case RELU:
      return x < 0.0f ? 0.0f : x;
    default:
      return x;
  }
}

/// The derivative of activateExact; NaN stays NaN.
__device__ __forceinline__ float activationSlope(int kind, float x) {
  switch (kind) {
    case GELU: {
      float t = tanhf(x * fmaf(0.0356774081f, x * x, 0.7978845608f));
      float inner = fmaf(0.1070322243f, x * x, 0.7978845608f);
      return 0.5f * (1.0f + t) + 0.5f * x * (1.0f - t * t) * inner;
    }
    case SILU: {
      float s = 1.0f / (1.0f + expf(-x));
      return s * (1.0f + x * (1.0f - s));
    }
    case RELU:
      return x > 0.0f ? 1.0f : x <= 0.0f ? 0.0f : x;
    default:
      return 1.0f;
  }
}

}  // namespace moe
