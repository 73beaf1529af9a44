// Operations on each element alone: activations and their gradients, sums, products, conversion.
// Outputs may be inputs.
//
// All: F32 [n] (moe_to_bf16 writes BF16). Launch: block = 256, grid = min(ceil(n / 1024), 65535),
//   shared = 0.
#include "dependent.cuh"
#include "numeric.cuh"

#define MOE_EACH(i, n)                                                                  \
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * 256 + threadIdx.x; i < (n);       \
       i += static_cast<int64_t>(gridDim.x) * 256)

extern "C" __global__ void __launch_bounds__(256)
    moe_activate(const float* x, float* y, int64_t n, int activation) {
  MOE_EACH(i, n) y[i] = moe::activateExact(activation, x[i]);
}

extern "C" __global__ void __launch_bounds__(256)
    moe_activate_back(const float* x, const float* dY, float* dX, int64_t n, int activation) {
  MOE_EACH(i, n) dX[i] = dY[i] * moe::activationSlope(activation, x[i]);
}

extern "C" __global__ void __launch_bounds__(256)
    moe_add(const float* a, const float* b, float* out, int64_t n) {
  moe::awaitPredecessor();
  moe::releaseSuccessor();
  MOE_EACH(i, n) out[i] = a[i] + b[i];
}

extern "C" __global__ void __launch_bounds__(256)
    moe_multiply(const float* a, const float* b, float* out, int64_t n) {
  MOE_EACH(i, n) out[i] = a[i] * b[i];
}

extern "C" __global__ void __launch_bounds__(256)
    moe_scale(float* x, const float* factor, int64_t n) {
  float by = *factor;
  MOE_EACH(i, n) x[i] *= by;
}

extern "C" __global__ void __launch_bounds__(256)
    moe_to_bf16(const float* x, moe::bf16* y, int64_t n) {
  MOE_EACH(i, n) y[i] = moe::fromFloat<moe::bf16>(x[i]);
}
