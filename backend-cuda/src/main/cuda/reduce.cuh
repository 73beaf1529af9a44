// Sums and maxima over a warp or a block, in an order that never changes.
#pragma once

namespace moe {

__device__ __forceinline__ float warpSum(float value) {
#pragma unroll
  for (int step = 16; step > 0; step /= 2) value += __shfl_xor_sync(~0u, value, step);
  return value;
}

__device__ __forceinline__ double warpSum(double value) {
#pragma unroll
  for (int step = 16; step > 0; step /= 2) value += __shfl_xor_sync(~0u, value, step);
  return value;
}

/// NaN is never the largest.
__device__ __forceinline__ float warpMax(float value) {
#pragma unroll
  for (int step = 16; step > 0; step /= 2) value = fmaxf(value, __shfl_xor_sync(~0u, value, step));
  return value;
}

/// The sum over all threads of a block, known to all; at most 32 full warps.
template <class T>
__device__ __forceinline__ T blockSum(T value) {
  __shared__ T parts[32];
  value = warpSum(value);
  __syncthreads();  // the parts of a call before are read
  if ((threadIdx.x & 31) == 0) parts[threadIdx.x >> 5] = value;
  __syncthreads();
  T sum = 0;
  for (int warp = 0; warp < (blockDim.x >> 5); ++warp) sum += parts[warp];
  return sum;
}

}  // namespace moe
