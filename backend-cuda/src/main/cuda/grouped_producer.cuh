// The warpgroup of a grouped product that fetches: weights by the tensor copy engine; tokens too, or
// (GATHER) by 16-byte copies through `assignments`. Algorithm: grouped_gemm.cuh.
#pragma once

#include "grouped_ring.cuh"

namespace moe {

/// Fills stages for one tile after the other.
template <class Shape>
class GroupedProducer {
  using Ring = GroupedRing<Shape>;
  using T = typename Shape::T;
  static constexpr int MAX_N = Shape::MAX_N;
  static constexpr int STAGES = Shape::STAGES;
  static constexpr int COLUMNS = Shape::COLUMNS;
  static constexpr int CLUSTER = Shape::CLUSTER;

 public:
  /// One thread. The weights of the first stages are fetched before the predecessor, which makes
  /// the rows, has ended.
  static __device__ void produceCopied(const Ring& ring) {
    Tiles all = ring.tiles();
    RingCursor<STAGES> cursor;
    RingCursor<QUEUE> drawn, taken;
    int item = ring.firstItem();
    if (item >= all.total()) return;
    Tile tile = all.at(item);
    int first, last;
    ring.stagesOf(tile.split, first, last);
    int ahead = min(STAGES, last - first);
    for (int i = 0; i < ahead; ++i) {
      barrierExpect(ring.full(i), stageBytes(tile));
      copyWeights(ring, ring.stage(i), tile, first + i, i);
    }
    awaitPredecessor();
    releaseSuccessor();
    while (true) {
      if (ring.rank() == 0) ring.draw(drawn, all.total());
      for (int k = first; k < last; ++k, cursor.advance()) {
        uint32_t stage = ring.stage(cursor.stage);
        if (ahead > 0) {
          --ahead;
        } else {
          barrierWait(ring.empty(cursor.stage), cursor.parity ^ 1);
          barrierExpect(ring.full(cursor.stage), stageBytes(tile));
          copyWeights(ring, stage, tile, k, cursor.stage);
        }
        copyRows(ring, stage, tile, k, cursor.stage);
      }
      item = ring.take(taken, item, true);
      if (item >= all.total()) return;
      tile = all.at(item);
      ring.stagesOf(tile.split, first, last);
    }
  }

  /// 128 threads: 8 to a token of 128 bytes, 16 tokens at a time.
  static __device__ void produceGathered(const Ring& ring) {
    int thread = threadIdx.x - CONSUMERS;
    int piece = thread & 7;
    int firstRow = thread >> 3;
    uint32_t target = WEIGHT_BYTES + firstRow * 128 + ((piece ^ (firstRow & 7)) << 4);
    RingCursor<STAGES> cursor;
    RingCursor<QUEUE> drawn, taken;
    int* sources = ring.sources();
    Tiles all = ring.tiles();
    for (int item = ring.firstItem(); item < all.total(); item = ring.take(taken, item, false)) {
      if (thread == 0) ring.draw(drawn, all.total());
      __syncwarp();
      Tile tile = all.at(item);
      for (int row = thread; row < MAX_N; row += PRODUCERS) {
        int sorted = tile.firstRow + min(row, tile.rows - 1);
        sources[row] = ring.args.assignments[sorted] / ring.args.topK;
      }
      warpgroupSync(3);  // two tables: when all come here again, all have left the last but one
      int first, last;
      ring.stagesOf(tile.split, first, last);
      for (int k = first; k < last; ++k, cursor.advance()) {
        uint32_t stage = ring.stage(cursor.stage);
        barrierWait(ring.empty(cursor.stage), cursor.parity ^ 1);
        if (thread == 0) {
          barrierExpect(ring.full(cursor.stage), WEIGHT_BYTES);
          copyWeights(ring, stage, tile, k, cursor.stage);
        }
        int column = k * COLUMNS + piece * (COLUMNS / 8);
        bool valid = column < ring.args.in;
        const T* source = static_cast<const T*>(ring.args.tokens) + (valid ? column : 0);
#pragma unroll
        for (int i = 0; i < MAX_N / 16; ++i) {
          if (i * 16 < tile.rows) {
            int64_t token = sources[firstRow + i * 16];
            copy16(stage + target + i * 2048, source + token * ring.args.in, valid);
          }
        }
        arriveAfterCopies(ring.full(cursor.stage));
      }
      sources = sources == ring.sources() ? ring.sources() + MAX_N : ring.sources();
    }
  }

 private:
  static __device__ __forceinline__ void copyWeights(
      const Ring& ring, uint32_t stage, const Tile& tile, int k, int slot) {
    if (Shape::TRANSPOSED) {
      // 64 rows of K by 64 outputs for each warpgroup. Rows of K past the expert's last are the
      // next one's; they meet zeros, because the tokens' map ends there.
      for (int half = 0; half < 2; ++half) {
        copyBox(stage + half * (WEIGHT_BYTES / 2), ring.weights, ring.full(slot),
                tile.firstOutput + half * (TILE_WEIGHTS / 2),
                tile.expert * ring.args.in + k * COLUMNS);
      }
    } else if (Shape::GATED) {
      int group = (tile.expert * ring.args.outWidth + tile.firstOutput) >> 3;
      copyBox(stage, ring.weights, ring.full(slot), k * COLUMNS, 0, 0, group);
    } else {
      copyBox(stage, ring.weights, ring.full(slot), k * COLUMNS,
              tile.expert * ring.args.outWidth + tile.firstOutput);
    }
  }

  static __device__ __forceinline__ void copyRows(
      const Ring& ring, uint32_t stage, const Tile& tile, int k, int slot) {
    for (int row = ring.rank() * COPY_ROWS; row < tile.rows; row += CLUSTER * COPY_ROWS) {
      uint32_t target = stage + WEIGHT_BYTES + row * STAGE_BYTES_K;
      if (CLUSTER > 1) {
        copyBoxToBoth(target, ring.rows, ring.full(slot), k * COLUMNS, tile.firstRow + row);
      } else {
        copyBox(target, ring.rows, ring.full(slot), k * COLUMNS, tile.firstRow + row);
      }
    }
  }

  static __device__ __forceinline__ int stageBytes(const Tile& tile) {
    return WEIGHT_BYTES + (tile.rows + COPY_ROWS - 1) / COPY_ROWS * COPY_ROWS * STAGE_BYTES_K;
  }
};

}  // namespace moe
