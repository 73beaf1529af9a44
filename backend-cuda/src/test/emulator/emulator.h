// CUDA's threads on the CPU, for tests where there is no GPU: a block is a set of fibers that take
// turns at barriers and shuffles, blocks run one after the other. Slow, exact, and strict: reading
// beyond memory is the CPU's fault to find.
#pragma once

#include <vector_functions.h>
#include <vector_types.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <tuple>
#include <utility>
#include <vector>

#define MOE_EMULATED 1

struct Place { unsigned x, y, z; };
inline Place threadIdx, blockIdx, blockDim, gridDim;

namespace emulated {

constexpr size_t STACK = 96 * 1024;
constexpr size_t SHARED = 232448;

extern "C" void emulated_switch(void** from, void* to);
asm(R"(
.text
.globl emulated_switch
emulated_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
)");

struct Barrier {
  int alive = 0, arrived = 0, generation = 0;
  int flags[4] = {};
};

struct Warp {
  Barrier barrier;
  alignas(16) char slots[32][16];
  float a[32][4], b[32][2];
  float left[16][16], right[8][16];
  const void* rows[32];
};

/// An asynchronous copy of 16 bytes under way; null for zeros.
struct Copy {
  void* target;
  const void* source;
  int bytes;
};

struct Fiber {
  std::vector<std::vector<Copy>> copies;  // groups, the oldest first
  std::vector<Copy> begun;                // of the group that has not ended
  void* stack = nullptr;
  bool done = false;
  Place place;
};

inline std::vector<Fiber> fibers;
inline std::vector<Warp> warps;
inline std::vector<char> stacks;
inline Barrier block;
inline int running;
inline void* scheduler;
inline void (*body)();
alignas(128) inline char dynamicShared[SHARED];

inline int lane() { return running & 31; }
inline Warp& warp() { return warps[running >> 5]; }

inline void yield() {
  int self = running;
  emulated_switch(&fibers[self].stack, scheduler);
  running = self;
  threadIdx = fibers[self].place;
}

inline void release(Barrier& barrier) {
  barrier.arrived = 0;
  barrier.flags[(barrier.generation + 2) & 3] = 0;
  ++barrier.generation;
}

inline bool await(Barrier& barrier, bool flag) {
  int generation = barrier.generation;
  barrier.flags[generation & 3] |= flag;
  if (++barrier.arrived == barrier.alive) {
    release(barrier);
  } else {
    while (barrier.generation == generation) yield();
  }
  return barrier.flags[generation & 3];
}

inline void leave(Barrier& barrier) {
  if (--barrier.alive > 0 && barrier.arrived == barrier.alive) release(barrier);
}

inline void start() {
  threadIdx = fibers[running].place;
  body();
  int self = running;
  fibers[self].done = true;
  leave(block);
  leave(warps[self >> 5].barrier);
  emulated_switch(&fibers[self].stack, scheduler);
}

template <class T>
T exchange(T value, int from) {
  Warp& mine = warp();
  std::memcpy(mine.slots[lane()], &value, sizeof(T));
  await(mine.barrier, false);
  T other;
  std::memcpy(&other, mine.slots[from & 31], sizeof(T));
  await(mine.barrier, false);
  return other;
}

inline void runBlock(int threads) {
  fibers.assign(threads, Fiber());
  warps.assign((threads + 31) / 32, Warp());
  if (stacks.size() < threads * STACK) stacks.resize(threads * STACK);
  block = Barrier();
  block.alive = threads;
  for (int i = 0; i < threads; ++i) {
    warps[i / 32].barrier.alive++;
    fibers[i].place = {i % blockDim.x, i / blockDim.x % blockDim.y, i / (blockDim.x * blockDim.y)};
    auto top = reinterpret_cast<uintptr_t>(stacks.data() + (i + 1) * STACK) & ~uintptr_t(63);
    void** sp = reinterpret_cast<void**>(top) - 2;
    *sp = reinterpret_cast<void*>(&start);
    fibers[i].stack = sp - 6;
  }
  for (int left = threads; left > 0;) {
    left = 0;
    for (int i = 0; i < threads; ++i) {
      if (fibers[i].done) continue;
      ++left;
      running = i;
      emulated_switch(&scheduler, fibers[i].stack);
    }
  }
}

/// Calls a kernel with the addresses of its arguments, as the driver does.
template <class... Arguments, size_t... I>
void call(void (*kernel)(Arguments...), void** arguments, std::index_sequence<I...>) {
  kernel(*static_cast<std::remove_const_t<Arguments>*>(arguments[I])...);
}

inline void** currentArguments;

template <auto KERNEL>
struct Entry;
template <class... Arguments, void (*KERNEL)(Arguments...)>
struct Entry<KERNEL> {
  static void run() { call(KERNEL, currentArguments, std::index_sequence_for<Arguments...>()); }
};

}  // namespace emulated

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
inline float emulatedTf32(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, 4);
  bits = (bits + 0x1000) & ~0x1fffu;
  std::memcpy(&value, &bits, 4);
  return value;
}
struct Half4 { uint32_t words[4]; };
struct Half2 { uint32_t words[2]; };
inline float halfOf(uint32_t pair, int index) {
  uint32_t bits = index ? pair & 0xFFFF0000u : pair << 16;
  float value;
  std::memcpy(&value, &bits, 4);
  return value;
}
inline float binary16Of(uint32_t pair, int index) {
  uint16_t bits = index ? pair >> 16 : pair;
  _Float16 value;
  std::memcpy(&value, &bits, 2);
  return static_cast<float>(value);
}
/// mma.m16n8k16: each register of A and B holds two neighbours of K.
template <auto NUMBER>
void emulatedMma(float (&d)[4], Half4 a, Half2 b) {
  emulated::Warp& warp = emulated::warp();
  int lane = emulated::lane(), group = lane / 4, member = lane % 4 * 2;
  for (int i = 0; i < 2; ++i) {
    for (int half = 0; half < 4; ++half) {
      warp.left[group + half % 2 * 8][member + half / 2 * 8 + i] = NUMBER(a.words[half], i);
    }
    for (int half = 0; half < 2; ++half) {
      warp.right[group][member + half * 8 + i] = NUMBER(b.words[half], i);
    }
  }
  emulated::await(warp.barrier, false);
  for (int i = 0; i < 4; ++i) {
    const float* row = warp.left[group + i / 2 * 8];
    const float* column = warp.right[member + i % 2];
    for (int k = 0; k < 16; ++k) d[i] += row[k] * column[k];
  }
  emulated::await(warp.barrier, false);
}
inline void emulatedMmaBf16(float (&d)[4], Half4 a, Half2 b) { emulatedMma<halfOf>(d, a, b); }
inline void emulatedMmaF16(float (&d)[4], Half4 a, Half2 b) { emulatedMma<binary16Of>(d, a, b); }
/// ldmatrix of four matrices.
inline void emulatedLoadMatrices(uint32_t (&to)[4], const void* row, bool transposed) {
  emulated::Warp& warp = emulated::warp();
  int lane = emulated::lane();
  warp.rows[lane] = row;
  emulated::await(warp.barrier, false);
  for (int matrix = 0; matrix < 4; ++matrix) {
    uint16_t pair[2];
    for (int i = 0; i < 2; ++i) {
      int from = transposed ? lane % 4 * 2 + i : lane / 4;
      int column = transposed ? lane / 4 : lane % 4 * 2 + i;
      std::memcpy(pair + i, static_cast<const char*>(warp.rows[matrix * 8 + from]) + column * 2, 2);
    }
    std::memcpy(to + matrix, pair, 4);
  }
  emulated::await(warp.barrier, false);
}
/// cp.async: what is there is lost at once, what comes is there when it has been waited for.
inline void emulatedCopyLater(void* target, const void* source, bool valid, int bytes) {
  std::memset(target, 0xff, bytes);
  emulated::fibers[emulated::running].begun.push_back({target, valid ? source : nullptr, bytes});
}
inline void emulatedEndCopies() {
  emulated::Fiber& fiber = emulated::fibers[emulated::running];
  fiber.copies.push_back(std::move(fiber.begun));
  fiber.begun.clear();
}
inline void emulatedAwaitCopies(size_t pending) {
  auto& copies = emulated::fibers[emulated::running].copies;
  while (copies.size() > pending) {
    for (emulated::Copy copy : copies.front()) {
      if (copy.source) {
        std::memcpy(copy.target, copy.source, copy.bytes);
      } else {
        std::memset(copy.target, 0, copy.bytes);
      }
    }
    copies.erase(copies.begin());
  }
}
inline void emulatedMmaTf32(float (&d)[4], const float (&a)[4], const float (&b)[2]) {
  emulated::Warp& warp = emulated::warp();
  int lane = emulated::lane();
  std::memcpy(warp.a[lane], a, sizeof(a));
  std::memcpy(warp.b[lane], b, sizeof(b));
  emulated::await(warp.barrier, false);
  for (int i = 0; i < 4; ++i) {
    int row = lane / 4, column = lane % 4 * 2 + i % 2;
    for (int k = 0; k < 8; ++k) {
      d[i] += warp.a[row * 4 + k % 4][k / 4 * 2 + i / 2] * warp.b[column * 4 + k % 4][k / 4];
    }
  }
  emulated::await(warp.barrier, false);
}
