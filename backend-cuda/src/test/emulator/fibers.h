// A block of threads as fibers of one thread of the CPU: they take turns at barriers and shuffles,
// blocks run one after the other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>
#include <vector>

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
