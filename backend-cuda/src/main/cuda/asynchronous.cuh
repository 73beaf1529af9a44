// Copies to shared memory that run beside the computation, since compute capability 8.0.
#pragma once

#include <cstdint>

namespace moe {

/// Begins to copy 16 bytes to shared memory past the L1, or zeros if not `valid`.
__device__ __forceinline__ void copyLater(void* target, const void* source, bool valid) {
#ifdef MOE_EMULATED
  emulatedCopyLater(target, source, valid, 16);
#else
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(
                   static_cast<uint32_t>(__cvta_generic_to_shared(target))),
               "l"(source), "r"(valid ? 16 : 0)
               : "memory");
#endif
}

/// The same of 4 bytes.
__device__ __forceinline__ void copyFourLater(void* target, const void* source, bool valid) {
#ifdef MOE_EMULATED
  emulatedCopyLater(target, source, valid, 4);
#else
  asm volatile("cp.async.ca.shared.global [%0], [%1], 4, %2;" ::"r"(
                   static_cast<uint32_t>(__cvta_generic_to_shared(target))),
               "l"(source), "r"(valid ? 4 : 0)
               : "memory");
#endif
}

/// Ends a group of copies of this thread.
__device__ __forceinline__ void endCopies() {
#ifdef MOE_EMULATED
  emulatedEndCopies();
#else
  asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}

/// Waits for the copies of this thread, but for those of the last PENDING groups.
template <int PENDING>
__device__ __forceinline__ void awaitCopies() {
#ifdef MOE_EMULATED
  emulatedAwaitCopies(PENDING);
#else
  asm volatile("cp.async.wait_group %0;" ::"n"(PENDING) : "memory");
#endif
}

}  // namespace moe
