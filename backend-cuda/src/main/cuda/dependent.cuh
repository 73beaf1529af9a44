// Dependent launches: a kernel may start while its predecessor in the stream ends. Nothing before
// compute capability 9.0, where kernels simply follow one another.
#pragma once

namespace moe {

/// Waits for the kernels this one depends on; returns at once in an ordinary launch.
__device__ __forceinline__ void awaitPredecessor() {
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}

/// Lets the next kernel start its prologue. Only after `awaitPredecessor`, so that a kernel's
/// prologue may read what the kernel before its predecessor wrote.
__device__ __forceinline__ void releaseSuccessor() {
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
#endif
}

}  // namespace moe
