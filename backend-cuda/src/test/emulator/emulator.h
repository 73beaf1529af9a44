// CUDA's threads on the CPU, for tests where there is no GPU: a block is a set of fibers that take
// turns at barriers and shuffles, blocks run one after the other. Slow, exact, and strict: reading
// beyond memory is the CPU's fault to find.
#pragma once

#include <vector_functions.h>
#include <vector_types.h>

#include <cmath>
#include <cstring>

#include "copies.h"
#include "fibers.h"
#include "tensor_cores.h"

#define MOE_EMULATED 1

#undef __global__
#undef __device__
#undef __shared__
#undef __launch_bounds__
#undef __forceinline__
#undef __grid_constant__
#undef __align__
#define __global__
#define __device__
#define __shared__ static
#define __launch_bounds__(...)
#define __forceinline__ inline
#define __grid_constant__
#define __align__(n) __attribute__((aligned(n)))
#define MOE_DYNAMIC_SHARED(TYPE, NAME) TYPE* NAME = reinterpret_cast<TYPE*>(emulated::dynamicShared)

template <class T> T __ldg(const T* from) { return *from; }
template <class T> T __shfl_xor_sync(unsigned, T v, int step) {
  return emulated::exchange(v, emulated::lane() ^ step);
}
template <class T> T __shfl_sync(unsigned, T v, int from) { return emulated::exchange(v, from); }
template <class T> T __shfl_up_sync(unsigned, T v, int step) {
  int from = emulated::lane() - step;
  return emulated::exchange(v, from < 0 ? emulated::lane() : from);
}
inline void __syncthreads() { emulated::await(emulated::block, false); }
inline bool __syncthreads_or(bool flag) { return emulated::await(emulated::block, flag); }
inline void __syncwarp() { emulated::await(emulated::warp().barrier, false); }
inline bool __any_sync(unsigned, bool flag) { return emulated::await(emulated::warp().barrier, flag); }
inline unsigned __ballot_sync(unsigned, bool flag) {
  emulated::Warp& warp = emulated::warp();
  warp.slots[emulated::lane()][0] = flag;
  emulated::await(warp.barrier, false);
  unsigned all = 0;
  for (int i = 0; i < 32; ++i) all |= static_cast<unsigned>(warp.slots[i][0]) << i;
  emulated::await(warp.barrier, false);
  return all;
}
inline int __ffs(unsigned bits) { return __builtin_ffs(bits); }
inline unsigned __match_any_sync(unsigned, int value) {
  unsigned same = 0;
  for (int i = 0; i < 32; ++i) same |= (emulated::exchange(value, i) == value) << i;
  return same;
}
inline unsigned __reduce_max_sync(unsigned, unsigned value) {
  for (int step = 16; step > 0; step /= 2) {
    unsigned other = emulated::exchange(value, emulated::lane() ^ step);
    value = other > value ? other : value;
  }
  return value;
}
inline int __reduce_min_sync(unsigned, int value) {
  for (int step = 16; step > 0; step /= 2) {
    int other = emulated::exchange(value, emulated::lane() ^ step);
    value = other < value ? other : value;
  }
  return value;
}
inline long long __double_as_longlong(double value) {
  long long bits;
  std::memcpy(&bits, &value, 8);
  return bits;
}
inline void __threadfence() {}
inline int __popc(unsigned bits) { return __builtin_popcount(bits); }
inline int atomicAdd(int* to, int value) { int old = *to; *to += value; return old; }
template <class A, class B> auto min(A a, B b) { return a < b ? a : b; }
template <class A, class B> auto max(A a, B b) { return a > b ? a : b; }
