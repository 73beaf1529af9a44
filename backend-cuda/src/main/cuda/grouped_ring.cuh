// How the warpgroups of a grouped product meet in shared memory: a ring of stages of K, each with a
// barrier for full and one for empty, a queue of tiles drawn ahead, and tables of the experts' tokens
// and tiles. Algorithm: grouped_gemm.cuh.
#pragma once

#include "grouped_tiles.cuh"

namespace moe {

constexpr int QUEUE = 2;  // tiles drawn ahead

/// Bytes of dynamic shared memory: ring, output chunks (2 for each consumer), barriers, queue, the
/// tokens of 2 tiles, offsets and running tiles.
constexpr int gemmSharedBytes(int maxN, int stages, int experts) {
  return 1024 + stages * (WEIGHT_BYTES + maxN * STAGE_BYTES_K) + 4 * CHUNK_BYTES + 2 * stages * 8 +
         QUEUE * 24 + 2 * maxN * 4 + 2 * (experts + 1) * 4;
}

/// A position in the ring of stages, and the parity of the round.
template <int STAGES>
struct RingCursor {
  int stage = 0;
  uint32_t parity = 0;

  __device__ __forceinline__ void advance() {
    if (++stage == STAGES) {
      stage = 0;
      parity ^= 1;
    }
  }
};

/// What a thread knows of its block: arguments, places in shared memory, and its turns there.
template <class Shape>
class GroupedRing {
  static constexpr int STAGES = Shape::STAGES;
  static constexpr int CLUSTER = Shape::CLUSTER;
  static constexpr bool GATHER = Shape::GATHER;

 public:
  const CUtensorMap* weights;
  const CUtensorMap* rows;  // not looked at if GATHER
  const GroupedGemm& args;

  /// @param shared gemmSharedBytes, aligned to 1024 bytes as swizzled boxes must be
  __device__ GroupedRing(
      uint8_t* shared, const CUtensorMap& weights, const CUtensorMap& rows, const GroupedGemm& args)
      : weights(&weights), rows(&rows), args(args), ring_(sharedAddress(shared)) {
    if (CLUSTER > 1) rank_ = clusterRank();
    chunks_ = ring_ + STAGES * Shape::STAGE_BYTES;
    barriers_ = chunks_ + 4 * CHUNK_BYTES;
    queue_ = barriers_ + 2 * STAGES * 8;
    sources_ = reinterpret_cast<int*>(
        shared + STAGES * Shape::STAGE_BYTES + 4 * CHUNK_BYTES + 2 * STAGES * 8 + QUEUE * 24);
    offsets_ = sources_ + 2 * Shape::MAX_N;
    starts_ = offsets_ + args.experts + 1;
  }

  /// This block's in the cluster.
  __device__ int rank() const { return rank_; }

  /// A stage: TILE_WEIGHTS rows of weights, then those of tokens.
  __device__ uint32_t stage(int slot) const { return ring_ + slot * Shape::STAGE_BYTES; }

  /// The two output chunks of a consumer in turn.
  __device__ uint32_t nextChunk(int warpgroup) {
    uint32_t chunk = chunks_ + (warpgroup * 2 + turn_) * CHUNK_BYTES;
    turn_ ^= 1;
    return chunk;
  }

  /// Two tables of MAX_N: the tokens behind the rows of a tile.
  __device__ int* sources() const { return sources_; }

  __device__ uint32_t full(int stage) const { return barriers_ + stage * 8; }
  __device__ uint32_t empty(int stage) const { return barriers_ + (STAGES + stage) * 8; }

  /// One thread.
  __device__ void initialiseBarriers() const {
    for (int slot = 0; slot < QUEUE; ++slot) {
      barrierInit(queueFull(slot), 1);
      barrierInit(queueEmpty(slot), CLUSTER * (CONSUMERS / 32 + (GATHER ? PRODUCERS / 32 : 1)));
    }
    for (int stage = 0; stage < STAGES; ++stage) {
      barrierInit(full(stage), GATHER ? 1 + PRODUCERS : 1);
      barrierInit(empty(stage), CLUSTER * CONSUMERS / 32);
    }
    barrierInitFence();
    prefetchMap(weights);
    if (!GATHER) prefetchMap(rows);
  }

  /// offsets to shared memory, and the running number of token tiles; one warp.
  __device__ void buildTables() const {
    int lane = threadIdx.x;
    int tiles = 0;
    for (int base = 0; base < args.experts; base += 32) {
      int expert = base + lane;
      bool valid = expert < args.experts;
      int begin = valid && args.offsets ? args.offsets[expert] : 0;
      int end = !valid ? 0 : args.offsets ? args.offsets[expert + 1] : args.slots;
      int sum = (end - begin + args.tile - 1) / args.tile;
#pragma unroll
      for (int step = 1; step < 32; step *= 2) {
        int below = __shfl_up_sync(~0u, sum, step);
        if (lane >= step) sum += below;
      }
      if (valid) {
        offsets_[expert + 1] = end;
        starts_[expert + 1] = tiles + sum;
      }
      tiles += __shfl_sync(~0u, sum, 31);
    }
    if (lane == 0) {
      offsets_[0] = args.offsets ? args.offsets[0] : 0;
      starts_[0] = 0;
    }
  }

  __device__ Tiles tiles() const {
    return Tiles(starts_, offsets_, args, Shape::OUTPUTS, CLUSTER, rank_);
  }

  static __device__ int firstItem() { return blockIdx.x / CLUSTER; }

  /// Draws the next item for the cluster: one thread of its first block, once an item.
  __device__ __forceinline__ void draw(RingCursor<QUEUE>& cursor, int total) const {
    if (!Shape::DRAWN) return;
    int clusters = gridDim.x / CLUSTER;
    int drawn = atomicAdd(args.ticket, 1);
    if (drawn == max(total - clusters, 0) + min(clusters, total) - 1) *args.ticket = 0;
    barrierWaitCluster(queueEmpty(cursor.stage), cursor.parity ^ 1);
    for (int rank = 0; rank < CLUSTER; ++rank) {
      postAt(queueItem(cursor.stage), clusters + drawn, queueFull(cursor.stage), rank);
    }
    cursor.advance();
  }

  /// The item after the last; a whole warp, or the one producing thread.
  __device__ __forceinline__ int take(RingCursor<QUEUE>& cursor, int last, bool alone) const {
    if (!Shape::DRAWN) return last + gridDim.x / CLUSTER;
    barrierWaitCluster(queueFull(cursor.stage), cursor.parity);
    int item;
    asm volatile("ld.shared.s32 %0, [%1];" : "=r"(item) : "r"(queueItem(cursor.stage)) : "memory");
    if (!alone) __syncwarp();
    if (alone || (threadIdx.x & 31) == 0) barrierArriveAt(queueEmpty(cursor.stage), 0);
    cursor.advance();
    return item;
  }

  /// The stages of K of a split: [first, last).
  __device__ void stagesOf(int split, int& first, int& last) const {
    int all = (args.in + Shape::COLUMNS - 1) / Shape::COLUMNS;
    first = all * split / args.splits;
    last = all * (split + 1) / args.splits;
  }

 private:
  __device__ uint32_t queueFull(int slot) const { return queue_ + slot * 8; }
  __device__ uint32_t queueEmpty(int slot) const { return queue_ + (QUEUE + slot) * 8; }
  __device__ uint32_t queueItem(int slot) const { return queue_ + QUEUE * 16 + slot * 8; }

  uint32_t ring_, chunks_, barriers_, queue_;
  int rank_ = 0;
  int turn_ = 0;
  int* sources_;
  int* offsets_;
  int* starts_;
};

}  // namespace moe
