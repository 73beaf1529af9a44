// moe_dispatch: sorts assignments by expert, ascending within an expert (a stable counting sort),
// with no host in the loop and no order left to chance.
//
// expertIds    I32 [slots], slot = token · topK + k; -1 for an unused slot, as is any id out of range
// offsets      I32 [experts + 1]
// assignments  I32 [slots], row -> slot; not written from offsets[experts] on
// positions    I32 [slots], slot -> row, -1 for an unused slot
// counts       I32 [blocks, experts], scratch; unused if there is one block
//
// Example: 3 tokens, topK 2, ids [2,0, 0,1, 2,1] give offsets [0,2,4,6], assignments
// [1,2, 3,5, 0,4], positions [4,0, 1,2, 5,3].
//
// Launch: block = 1024, grid = blocks = max(1, ceil(slots / 4096)), shared = 4 · 33 · experts.
//   More than one block: first moe_dispatch_count, same launch. Then moe_dispatch_place.
//   Parameters: DispatchArgs by value. experts <= 1024.
#include <cstdint>

#include "dependent.cuh"

#ifndef MOE_DYNAMIC_SHARED  // the emulation of the tests has its own
#define MOE_DYNAMIC_SHARED(TYPE, NAME) extern __shared__ TYPE NAME[]
#endif

namespace moe {

struct DispatchArgs {
  const int* expertIds;
  int* offsets;
  int* assignments;
  int* positions;
  int* counts;
  int slots;
  int experts;
};

constexpr int DISPATCH_WARPS = 32;
constexpr int DISPATCH_SLOTS = 4096;

/// The slots of a warp: neighbours, in rounds of 32. Blocks, warps, rounds and lanes are all in
/// ascending order of slots.
struct WarpSlots {
  int begin, end;

  __device__ explicit WarpSlots(const DispatchArgs& args) {
    int perWarp = DISPATCH_SLOTS / DISPATCH_WARPS;
    begin = blockIdx.x * DISPATCH_SLOTS + (threadIdx.x >> 5) * perWarp;
    end = min(begin + perWarp, args.slots);
  }
};

/// Adds up the slots of each expert for each warp: histogram[warp][expert].
__device__ __forceinline__ void countByWarp(const DispatchArgs& args, int* histogram) {
  for (int i = threadIdx.x; i < DISPATCH_WARPS * args.experts; i += blockDim.x) histogram[i] = 0;
  __syncthreads();
  WarpSlots mine(args);
  int* own = histogram + (threadIdx.x >> 5) * args.experts;
  for (int slot = mine.begin + (threadIdx.x & 31); slot < mine.end; slot += 32) {
    int expert = args.expertIds[slot];
    if (expert >= 0 && expert < args.experts) atomicAdd(own + expert, 1);
  }
  __syncthreads();
}

}  // namespace moe

extern "C" __global__ void __launch_bounds__(1024)
    moe_dispatch_count(const __grid_constant__ moe::DispatchArgs args) {
  MOE_DYNAMIC_SHARED(int, histogram);
  moe::releaseSuccessor();  // whoever follows waits for all of this kernel before it reads
  moe::awaitPredecessor();
  moe::countByWarp(args, histogram);
  for (int e = threadIdx.x; e < args.experts; e += blockDim.x) {
    int sum = 0;
    for (int warp = 0; warp < moe::DISPATCH_WARPS; ++warp) sum += histogram[warp * args.experts + e];
    args.counts[blockIdx.x * args.experts + e] = sum;
  }
}

extern "C" __global__ void __launch_bounds__(1024)
    moe_dispatch_place(const __grid_constant__ moe::DispatchArgs args) {
  MOE_DYNAMIC_SHARED(int, histogram);  // [warps][experts], then starts[experts]
  __shared__ int warpSums[32];
  int* starts = histogram + moe::DISPATCH_WARPS * args.experts;
  int lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
  moe::releaseSuccessor();  // whoever follows waits for all of this kernel before it reads
  moe::awaitPredecessor();
  moe::countByWarp(args, histogram);

  // One thread an expert: its slots in all blocks, and in those before this one.
  int total = 0, before = 0;
  int e = threadIdx.x;
  if (e < args.experts) {
    if (gridDim.x == 1) {
      for (int w = 0; w < moe::DISPATCH_WARPS; ++w) total += histogram[w * args.experts + e];
    } else {
#pragma unroll 8
      for (int b = 0; b < gridDim.x; ++b) {
        int count = args.counts[b * args.experts + e];
        total += count;
        if (b < blockIdx.x) before += count;
      }
    }
  }
  int sum = total;  // inclusive scan over experts
#pragma unroll
  for (int step = 1; step < 32; step *= 2) {
    int below = __shfl_up_sync(~0u, sum, step);
    if (lane >= step) sum += below;
  }
  if (lane == 31) warpSums[warp] = sum;
  __syncthreads();
  for (int w = 0; w < warp; ++w) sum += warpSums[w];
  if (e < args.experts) {
    starts[e] = sum - total + before;
    if (blockIdx.x == 0) {
      args.offsets[e + 1] = sum;
      if (e == 0) args.offsets[0] = 0;
    }
    // Counts become first rows, warp after warp.
    int row = starts[e];
    for (int w = 0; w < moe::DISPATCH_WARPS; ++w) {
      int count = histogram[w * args.experts + e];
      histogram[w * args.experts + e] = row;
      row += count;
    }
  }
  __syncthreads();

  moe::WarpSlots mine(args);
  int* next = histogram + warp * args.experts;
  for (int base = mine.begin; base < mine.end; base += 32) {
    int slot = base + lane;
    int expert = slot < mine.end ? args.expertIds[slot] : -1;
    if (expert >= args.experts) expert = -1;
    uint32_t same = __match_any_sync(~0u, expert);
    int rank = __popc(same & ((1u << lane) - 1));
    int row = expert >= 0 ? next[expert] + rank : -1;
    __syncwarp();
    if (expert >= 0 && rank == 0) next[expert] += __popc(same);
    __syncwarp();
    if (slot < mine.end) {
      args.positions[slot] = row;
      if (row >= 0) args.assignments[row] = slot;
    }
  }
}
