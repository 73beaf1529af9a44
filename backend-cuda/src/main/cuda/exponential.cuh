// Exponentials in one instruction.
#pragma once

namespace moe {

constexpr float LOG2_E = 1.4426950408889634f;
constexpr float LN_2 = 0.6931471805599453f;

/// 2^x to 22 bits; what is below 2^-126 becomes 0.
__device__ __forceinline__ float power2(float x) {
#ifdef MOE_EMULATED
  return exp2f(x);
#else
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
#endif
}

}  // namespace moe
