// What the device can do now: multiply-adds from registers, and reading memory.
//
// moe_peak_fma   32 · `rounds` multiply-adds a thread.  Launch: block = 256, any grid, shared = 0.
// moe_peak_read  reads all of x [n] 16 bytes at a time. Launch: block = 256, any grid, shared = 0.
// sink           F32 [1], written only if a sum is a number no sum here can be
#include "numeric.cuh"

extern "C" __global__ void __launch_bounds__(256) moe_peak_fma(float* sink, int rounds) {
  float sums[8];
#pragma unroll
  for (int i = 0; i < 8; ++i) sums[i] = threadIdx.x + i;
  for (int round = 0; round < rounds; ++round) {
#pragma unroll
    for (int i = 0; i < 32; ++i) sums[i & 7] = fmaf(sums[i & 7], 0.5f, 1.0f);
  }
  float sum = 0.0f;
#pragma unroll
  for (int i = 0; i < 8; ++i) sum += sums[i];
  if (sum == -1.0f) *sink = sum;
}

extern "C" __global__ void __launch_bounds__(256)
    moe_peak_read(const float4* x, float* sink, int64_t n) {
  float sum = 0.0f;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * 256 + threadIdx.x; i < n;
       i += static_cast<int64_t>(gridDim.x) * 256) {
    float4 value = x[i];
    sum += (value.x + value.y) + (value.z + value.w);
  }
  if (sum == -1.0f) *sink = sum;
}
