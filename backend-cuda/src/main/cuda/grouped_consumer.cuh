// The two warpgroups of a grouped product that multiply: 64 of a tile's weight rows each by all its
// tokens, in the tensor cores straight from the ring. Algorithm: grouped_gemm.cuh.
#pragma once

#include "grouped_epilogue.cuh"
#include "grouped_ring.cuh"

namespace moe {

/// Empties the stages of one tile after the other.
template <class Shape>
class GroupedConsumer {
  using Ring = GroupedRing<Shape>;
  using T = typename Shape::T;
  static constexpr int MAX_N = Shape::MAX_N;
  static constexpr int STAGES = Shape::STAGES;
  static constexpr int CLUSTER = Shape::CLUSTER;
  static constexpr bool TRANSPOSED = Shape::TRANSPOSED;

 public:
  static __device__ void consume(Ring& ring) {
    int warpgroup = threadIdx.x >> 7;
    Tiles all = ring.tiles();
    RingCursor<STAGES> cursor;
    RingCursor<QUEUE> taken;
    for (int item = ring.firstItem(); item < all.total(); item = ring.take(taken, item, false)) {
      Tile tile = all.at(item);
      int first, last;
      ring.stagesOf(tile.split, first, last);
      runAtWidth(ring, tile, cursor, last - first, warpgroup);
    }
  }

 private:
  /// Chooses the narrowest instruction that covers the tile's tokens.
  static __device__ __forceinline__ void runAtWidth(
      Ring& ring, const Tile& tile, RingCursor<STAGES>& cursor, int steps, int warpgroup) {
    int rows = tile.rows;
    if constexpr (MAX_N == 32) {
      if (rows <= 8) return runTile<8>(ring, tile, cursor, steps, warpgroup);
      if (rows <= 16) return runTile<16>(ring, tile, cursor, steps, warpgroup);
      return runTile<32>(ring, tile, cursor, steps, warpgroup);
    } else {
      if (rows <= 32) return runTile<32>(ring, tile, cursor, steps, warpgroup);
      if (rows <= 64) return runTile<64>(ring, tile, cursor, steps, warpgroup);
      if (rows <= 96) return runTile<96>(ring, tile, cursor, steps, warpgroup);
      if constexpr (MAX_N == 128) {
        return runTile<128>(ring, tile, cursor, steps, warpgroup);
      } else {
        if (rows <= 128) return runTile<128>(ring, tile, cursor, steps, warpgroup);
        if (rows <= 160) return runTile<160>(ring, tile, cursor, steps, warpgroup);
        if (rows <= 192) return runTile<192>(ring, tile, cursor, steps, warpgroup);
        if (rows <= 224) return runTile<224>(ring, tile, cursor, steps, warpgroup);
        return runTile<256>(ring, tile, cursor, steps, warpgroup);
      }
    }
  }

  template <int N>
  static __device__ __forceinline__ void runTile(
      Ring& ring, const Tile& tile, RingCursor<STAGES>& cursor, int steps, int warpgroup) {
    float sums[N / 2];
    multiply<N>(ring, sums, cursor, steps, warpgroup);
    pin(sums);
    GroupedEpilogue<Shape>::template finish<N>(ring, sums, tile, warpgroup);
  }

  template <int N>
  static __device__ __forceinline__ void multiply(
      const Ring& ring, float (&sums)[N / 2], RingCursor<STAGES>& cursor, int steps, int warpgroup) {
    awaitStage(ring, cursor);
    wgmmaFence();
    multiplyStage<N, true>(ring, sums, cursor.stage, warpgroup);
    int previous = cursor.stage;
    cursor.advance();
    for (int step = 1; step < steps; ++step) {
      awaitStage(ring, cursor);
      wgmmaFence();
      multiplyStage<N, false>(ring, sums, cursor.stage, warpgroup);
      wgmmaWait<1>();
      release(ring, previous);
      previous = cursor.stage;
      cursor.advance();
    }
    wgmmaWait<0>();
    release(ring, previous);
  }

  template <int N, bool FIRST>
  static __device__ __forceinline__ void multiplyStage(
      const Ring& ring, float* sums, int slot, int warpgroup) {
    uint32_t stage = ring.stage(slot);
    uint64_t left = swizzledRows(stage + warpgroup * (WEIGHT_BYTES / 2));
    uint64_t right = swizzledRows(stage + WEIGHT_BYTES);
#pragma unroll
    for (int k = 0; k < STAGE_BYTES_K / 32; ++k) {
      // In units of the descriptor, 16 bytes: 32 bytes of K are 2, 16 rows of 128 bytes are 128.
      constexpr int LEFT_STEP = TRANSPOSED ? 128 : 2;
      if (FIRST && k == 0) {
        Wgmma<T, N, TRANSPOSED>::start(sums, left, right);
      } else {
        Wgmma<T, N, TRANSPOSED>::add(sums, left + LEFT_STEP * k, right + 2 * k);
      }
    }
    wgmmaCommit();
  }

  static __device__ __forceinline__ void awaitStage(
      const Ring& ring, const RingCursor<STAGES>& cursor) {
    barrierWait(ring.full(cursor.stage), cursor.parity);
    if (Shape::GATHER) sharedProxyFence();
  }

  static __device__ __forceinline__ void release(const Ring& ring, int stage) {
    int lane = threadIdx.x & 31;
    if (CLUSTER > 1) {
      if (lane < CLUSTER) barrierArriveAt(ring.empty(stage), lane);
    } else if (lane == 0) {
      barrierArrive(ring.empty(stage));
    }
  }
};

}  // namespace moe
