// moe_adamw: one step of AdamW (Loshchilov and Hutter, arXiv 1711.05101) in one pass over parameter,
// gradient and both moments: 28 bytes an element.
//
// parameter, gradient, first, second  F32 [n]
// half                                bf16 [n] or null: the parameter rounded, for tensor cores
// schedule                            F32 [3]: rate, 1/(1 − beta1^step), 1/(1 − beta2^step), read
//                                     on the device so that a captured graph can be replayed
//
// Launch: block = 256, grid = min(ceil(n / 1024), 65535), shared = 0.
#include "numeric.cuh"

extern "C" __global__ void __launch_bounds__(256)
    moe_adamw(float* parameter, const float* gradient, float* first, float* second,
              moe::bf16* half, const float* schedule, int64_t n, float beta1, float beta2, float epsilon,
              float weightDecay) {
  float rate = schedule[0], correction1 = schedule[1], correction2 = schedule[2];
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * 256 + threadIdx.x; i < n;
       i += static_cast<int64_t>(gridDim.x) * 256) {
    float g = gradient[i], p = parameter[i];
    float m = fmaf(beta1, first[i], (1.0f - beta1) * g);
    float v = fmaf(beta2, second[i], (1.0f - beta2) * g * g);
    first[i] = m;
    second[i] = v;
    float step = m * correction1 / (sqrtf(v * correction2) + epsilon);
    p -= rate * fmaf(weightDecay, p, step);
    parameter[i] = p;
    if (half) half[i] = moe::fromFloat<moe::bf16>(p);
  }
}
