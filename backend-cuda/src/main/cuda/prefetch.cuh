// Fetching ahead to the L2, which kernels that wait for their predecessor do meanwhile: it is right
// even for what others still write. Nothing before compute capability 9.0, where kernels do not wait.
#pragma once

namespace moe {

/// Fetches the line of an address to the L2: what others still write may be fetched too.
__device__ __forceinline__ void prefetchLine(const void* address) {
#if __CUDA_ARCH__ >= 900
  asm volatile("prefetch.global.L2 [%0];" ::"l"(address));
#endif
}

/// Fetches a row of floats, by a warp or more threads.
__device__ __forceinline__ void prefetchRow(const float* row, int width) {
  for (int i = threadIdx.x * 32; i < width; i += blockDim.x * 32) prefetchLine(row + i);
}

}  // namespace moe
