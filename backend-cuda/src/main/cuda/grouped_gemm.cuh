// The matrix product of all experts at once on Hopper: out[row] = act(W_e · in[row] + b_e) for the
// rows of every expert e; bf16, f16 or TF32 in, float32 accumulation.
//
// The weights are the left operand (64 rows of W a warpgroup) and the tokens the columns of the
// product, because a tensor core instruction has 64 rows but any multiple of 8 columns: experts
// have odd numbers of tokens, while dHidden and dModel are round. One kernel so serves one token
// (8 columns, weights streamed) and thousands (256 columns).
//
//   warpgroup 0, 1   consumers: 64 of the tile's 128 weight rows each, all its tokens
//   warpgroup 2      producer: weights by the tensor copy engine; tokens too, or (GATHER) by 16-byte
//                    copies through `assignments`, so that no permuted copy of them ever exists
//
// CLUSTER 2: two blocks take neighbouring weight rows and the same tokens; each fetches half of
// the tokens for both. Large products are bound by the way from the L2 otherwise.
//
// Stages of 128 bytes of K go round a ring of barriers. The two consumers never wait for each
// other: while one is in its epilogue, the other has the tensor cores for itself.
//
// GATED: a tile has 64 rows of W_gate and 64 of W_up in turns of 8, so that one thread holds both
// products of an element. The tensor map does it: K, 8 rows, {gate, up}, groups of 8 rows.
//
// Needs: rows of in and of outWidth elements to be multiples of 16 bytes, as tensor maps want strides.
#pragma once

#include <type_traits>

#include "half.cuh"
#include "sm90.cuh"

namespace moe {

/// The arguments beside the tensor maps. All pointers are to device memory.
struct GroupedGemm {
  const void* tokens;      // GATHER: [tokens, in]
  const int* assignments;  // GATHER: [slots], row -> token · topK + k
  const int* offsets;      // [experts + 1]; null: one expert has all `slots`
  const float* bias;       // [experts, outWidth] or null; of W_up if gated
  const float* gateBias;   // [experts, outWidth] or null
  void* out;               // [splits, slots, outWidth]
  int* ticket;             // [1], 0 before the first launch, left at 0; only for MAX_N = 256
  int experts;
  int topK;
  int in;          // K
  int outWidth;    // weight rows of an expert (of each of its two matrices if gated)
  int tile;        // most tokens in a tile, at most MAX_N
  int splits;      // parts of K, at most its stages, each with its own out; 1 unless out is float
  int activation;  // Activation
  int slots;       // rows between the outs of two splits
  int upFirst;     // GATED: W_up lies before W_gate in memory, and so in the tile
};

constexpr int STAGE_BYTES_K = 128;                      // of a row in a stage
template <class T>
constexpr int STAGE_K = STAGE_BYTES_K / sizeof(T);      // columns of K in a stage
constexpr int TILE_WEIGHTS = 128;                       // weight rows in a tile
constexpr int WEIGHT_BYTES = TILE_WEIGHTS * STAGE_BYTES_K;
constexpr int COPY_ROWS = 32;                           // tokens in a box of their tensor map
constexpr int CHUNK = 32;                               // tokens of an epilogue step
constexpr int CHUNK_BYTES = CHUNK * 64 * 2;             // by 64 outputs of a warpgroup
constexpr int CONSUMERS = 256;                          // threads
constexpr int PRODUCERS = 128;                          // threads
constexpr int GEMM_THREADS = CONSUMERS + PRODUCERS;
constexpr int ANY_ACTIVATION = -1;
constexpr int QUEUE = 2;  // tiles drawn ahead

/// Bytes of dynamic shared memory: ring, output chunks (2 for each consumer), barriers, queue, the
/// tokens of 2 tiles, offsets and running tiles.
constexpr int gemmSharedBytes(int maxN, int stages, int experts) {
  return 1024 + stages * (WEIGHT_BYTES + maxN * STAGE_BYTES_K) + 4 * CHUNK_BYTES + 2 * stages * 8 +
         QUEUE * 24 + 2 * maxN * 4 + 2 * (experts + 1) * 4;
}

/// One unit of work: some tokens of an expert by 128 weight rows (64 pairs of them if gated).
struct Tile {
  int expert;
  int firstRow;     // of the tokens, in sorted order
  int rows;         // tokens
  int firstOutput;  // column of out
  int split;
};

/// What the tiles are: item -> Tile. Tokens vary fastest, so that blocks running together share the
/// weights in the L2. In clusters an item is one tile for each block.
class Tiles {
 public:
  __device__ Tiles(
      const int* starts, const int* offsets, const GroupedGemm& args, int outputs, int cluster,
      int rank)
      : starts_(starts), offsets_(offsets), tile_(args.tile), outputs_(outputs * cluster),
        rankOffset_(outputs * rank), columns_((args.outWidth + outputs_ - 1) / outputs_),
        units_(columns_ * args.splits), total_(starts[args.experts] * units_) {}

  __device__ int total() const { return total_; }

  /// Items of one block must come in ascending order.
  __device__ Tile at(int item) {
    while (item >= starts_[expert_ + 1] * units_) ++expert_;
    int tokenTiles = starts_[expert_ + 1] - starts_[expert_];
    int local = item - starts_[expert_] * units_;
    int unit = local / tokenTiles;
    int tokenTile = local - unit * tokenTiles;
    int begin = offsets_[expert_];
    int count = offsets_[expert_ + 1] - begin;
    // Even tiles in steps of 32 tokens: 530 tokens are 192 + 192 + 146, not 256 + 256 + 18.
    int width = (count + tokenTiles - 1) / tokenTiles;
    width = min((width + 31) & ~31, tile_);
    Tile tile;
    tile.expert = expert_;
    tile.firstRow = begin + tokenTile * width;
    tile.rows = min(width, count - tokenTile * width);
    tile.firstOutput = unit % columns_ * outputs_ + rankOffset_;
    tile.split = unit / columns_;
    return tile;
  }

 private:
  const int* starts_;
  const int* offsets_;
  int tile_, outputs_, rankOffset_, columns_, units_, total_;
  int expert_ = 0;
};

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

/// To about 20 bits, in a few instructions: x · σ(2u) is 0.5 x (1 + tanh(u)) without cancellation.
template <int KIND>
__device__ __forceinline__ float activateFine(float x) {
  if constexpr (KIND == GELU || KIND == SILU) {
    float u = KIND == GELU ? x * fmaf(0.0713548163f, x * x, 1.5957691216f) : x;
    return __fdividef(x, 1.0f + __expf(-u));
  } else {
    return activateFast<KIND>(x);
  }
}

/// @tparam T bf16, f16, or float for TF32
/// @tparam MAX_N most tokens of a tile: 32, 128 or 256
/// @tparam ACTIVATION what the kernel is made for, or ANY_ACTIVATION to read it from the arguments
/// @tparam Out T or float
/// @tparam TRANSPOSED the weights are [experts, in, outWidth]: the products of the backward pass;
///   not of float
template <
    class T, int MAX_N, int STAGES, bool GATED, bool GATHER, int CLUSTER, int ACTIVATION, class Out,
    bool TRANSPOSED = false>
class GroupedGemmKernel {
  static constexpr int COLUMNS = STAGE_K<T>;
  static constexpr int STAGE_BYTES = WEIGHT_BYTES + MAX_N * STAGE_BYTES_K;
  static constexpr bool DRAWN = MAX_N == 256;
  static constexpr int OUTPUTS = GATED ? TILE_WEIGHTS / 2 : TILE_WEIGHTS;
  static_assert(!GATHER || CLUSTER == 1, "16-byte copies reach one block");

 public:
  static __device__ __forceinline__ void run(
      const CUtensorMap& weights, const CUtensorMap& rows, const GroupedGemm& args) {
    extern __shared__ uint8_t unaligned[];
    uint8_t* shared = reinterpret_cast<uint8_t*>(
        (reinterpret_cast<uintptr_t>(unaligned) + 1023) & ~uintptr_t{1023});
    GroupedGemmKernel kernel(shared, weights, rows, args);
    if (threadIdx.x == 0) kernel.initialiseBarriers();
    if (GATHER) awaitPredecessor();  // the plan; otherwise the plan is older than the predecessor
    if (threadIdx.x < 32) kernel.buildTables();
    __syncthreads();
    if (CLUSTER > 1) clusterSync();
    if (GATHER) releaseSuccessor();
    if (threadIdx.x >= CONSUMERS) {
      giveRegisters<40>();
      if (GATHER) {
        kernel.produceGathered();
      } else if (threadIdx.x == CONSUMERS) {
        kernel.produceCopied();
      }
    } else {
      takeRegisters<232>();
      kernel.consume();
    }
    if (CLUSTER > 1) clusterSync();  // nobody leaves while the other may still write to it
  }

 private:
  __device__ GroupedGemmKernel(
      uint8_t* shared, const CUtensorMap& weights, const CUtensorMap& rows,
      const GroupedGemm& args)
      : weights_(&weights), rows_(&rows), args_(args), ring_(sharedAddress(shared)) {
    if (CLUSTER > 1) rank_ = clusterRank();
    chunks_ = ring_ + STAGES * STAGE_BYTES;
    barriers_ = chunks_ + 4 * CHUNK_BYTES;
    queue_ = barriers_ + 2 * STAGES * 8;
    sources_ = reinterpret_cast<int*>(
        shared + STAGES * STAGE_BYTES + 4 * CHUNK_BYTES + 2 * STAGES * 8 + QUEUE * 24);
    offsets_ = sources_ + 2 * MAX_N;
    starts_ = offsets_ + args.experts + 1;
  }

  __device__ uint32_t full(int stage) const { return barriers_ + stage * 8; }
  __device__ uint32_t empty(int stage) const { return barriers_ + (STAGES + stage) * 8; }

  __device__ uint32_t queueFull(int slot) const { return queue_ + slot * 8; }
  __device__ uint32_t queueEmpty(int slot) const { return queue_ + (QUEUE + slot) * 8; }
  __device__ uint32_t queueItem(int slot) const { return queue_ + QUEUE * 16 + slot * 8; }

  __device__ void initialiseBarriers() {
    for (int slot = 0; slot < QUEUE; ++slot) {
      barrierInit(queueFull(slot), 1);
      barrierInit(queueEmpty(slot), CLUSTER * (CONSUMERS / 32 + (GATHER ? PRODUCERS / 32 : 1)));
    }
    for (int stage = 0; stage < STAGES; ++stage) {
      barrierInit(full(stage), GATHER ? 1 + PRODUCERS : 1);
      barrierInit(empty(stage), CLUSTER * CONSUMERS / 32);
    }
    barrierInitFence();
    prefetchMap(weights_);
    if (!GATHER) prefetchMap(rows_);
  }

  /// offsets to shared memory, and the running number of token tiles; one warp.
  __device__ void buildTables() {
    int lane = threadIdx.x;
    int tiles = 0;
    for (int base = 0; base < args_.experts; base += 32) {
      int expert = base + lane;
      bool valid = expert < args_.experts;
      int begin = valid && args_.offsets ? args_.offsets[expert] : 0;
      int end = !valid ? 0 : args_.offsets ? args_.offsets[expert + 1] : args_.slots;
      int sum = (end - begin + args_.tile - 1) / args_.tile;
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
      offsets_[0] = args_.offsets ? args_.offsets[0] : 0;
      starts_[0] = 0;
    }
  }

  __device__ Tiles tiles() const {
    return Tiles(starts_, offsets_, args_, OUTPUTS, CLUSTER, rank_);
  }

  static __device__ int firstItem() { return blockIdx.x / CLUSTER; }

  /// Draws the next item for the cluster: one thread of its first block, once an item.
  __device__ __forceinline__ void draw(RingCursor<QUEUE>& cursor, int total) {
    if (!DRAWN) return;
    int clusters = gridDim.x / CLUSTER;
    int drawn = atomicAdd(args_.ticket, 1);
    if (drawn == max(total - clusters, 0) + min(clusters, total) - 1) *args_.ticket = 0;
    barrierWaitCluster(queueEmpty(cursor.stage), cursor.parity ^ 1);
    for (int rank = 0; rank < CLUSTER; ++rank) {
      postAt(queueItem(cursor.stage), clusters + drawn, queueFull(cursor.stage), rank);
    }
    cursor.advance();
  }

  /// The item after the last; a whole warp, or the one producing thread.
  __device__ __forceinline__ int take(RingCursor<QUEUE>& cursor, int last, bool alone) {
    if (!DRAWN) return last + gridDim.x / CLUSTER;
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
    int all = (args_.in + COLUMNS - 1) / COLUMNS;
    first = all * split / args_.splits;
    last = all * (split + 1) / args_.splits;
  }

  // ---- producer ----

  __device__ __forceinline__ void copyWeights(uint32_t stage, const Tile& tile, int k, int slot) {
    if (TRANSPOSED) {
      // 64 rows of K by 64 outputs for each warpgroup. Rows of K past the expert's last are the
      // next one's; they meet zeros, because the tokens' map ends there.
      for (int half = 0; half < 2; ++half) {
        copyBox(stage + half * (WEIGHT_BYTES / 2), weights_, full(slot),
                tile.firstOutput + half * (TILE_WEIGHTS / 2),
                tile.expert * args_.in + k * COLUMNS);
      }
    } else if (GATED) {
      int group = (tile.expert * args_.outWidth + tile.firstOutput) >> 3;
      copyBox(stage, weights_, full(slot), k * COLUMNS, 0, 0, group);
    } else {
      copyBox(stage, weights_, full(slot), k * COLUMNS,
              tile.expert * args_.outWidth + tile.firstOutput);
    }
  }

  __device__ __forceinline__ void copyRows(uint32_t stage, const Tile& tile, int k, int slot) {
    for (int row = rank_ * COPY_ROWS; row < tile.rows; row += CLUSTER * COPY_ROWS) {
      uint32_t target = stage + WEIGHT_BYTES + row * STAGE_BYTES_K;
      if (CLUSTER > 1) {
        copyBoxToBoth(target, rows_, full(slot), k * COLUMNS, tile.firstRow + row);
      } else {
        copyBox(target, rows_, full(slot), k * COLUMNS, tile.firstRow + row);
      }
    }
  }

  static __device__ __forceinline__ int stageBytes(const Tile& tile) {
    return WEIGHT_BYTES + (tile.rows + COPY_ROWS - 1) / COPY_ROWS * COPY_ROWS * STAGE_BYTES_K;
  }

  /// One thread. The weights of the first stages are fetched before the predecessor, which makes
  /// the rows, has ended.
  __device__ void produceCopied() {
    Tiles all = tiles();
    RingCursor<STAGES> cursor;
    RingCursor<QUEUE> drawn, taken;
    int item = firstItem();
    if (item >= all.total()) return;
    Tile tile = all.at(item);
    int first, last;
    stagesOf(tile.split, first, last);
    int ahead = min(STAGES, last - first);
    for (int i = 0; i < ahead; ++i) {
      barrierExpect(full(i), stageBytes(tile));
      copyWeights(ring_ + i * STAGE_BYTES, tile, first + i, i);
    }
    awaitPredecessor();
    releaseSuccessor();
    while (true) {
      if (rank_ == 0) draw(drawn, all.total());
      for (int k = first; k < last; ++k, cursor.advance()) {
        uint32_t stage = ring_ + cursor.stage * STAGE_BYTES;
        if (ahead > 0) {
          --ahead;
        } else {
          barrierWait(empty(cursor.stage), cursor.parity ^ 1);
          barrierExpect(full(cursor.stage), stageBytes(tile));
          copyWeights(stage, tile, k, cursor.stage);
        }
        copyRows(stage, tile, k, cursor.stage);
      }
      item = take(taken, item, true);
      if (item >= all.total()) return;
      tile = all.at(item);
      stagesOf(tile.split, first, last);
    }
  }

  /// 128 threads: 8 to a token of 128 bytes, 16 tokens at a time.
  __device__ void produceGathered() {
    int thread = threadIdx.x - CONSUMERS;
    int piece = thread & 7;
    int firstRow = thread >> 3;
    uint32_t target = WEIGHT_BYTES + firstRow * 128 + ((piece ^ (firstRow & 7)) << 4);
    RingCursor<STAGES> cursor;
    RingCursor<QUEUE> drawn, taken;
    int* sources = sources_;
    Tiles all = tiles();
    for (int item = firstItem(); item < all.total(); item = take(taken, item, false)) {
      if (thread == 0) draw(drawn, all.total());
      __syncwarp();
      Tile tile = all.at(item);
      for (int row = thread; row < MAX_N; row += PRODUCERS) {
        sources[row] = args_.assignments[tile.firstRow + min(row, tile.rows - 1)] / args_.topK;
      }
      warpgroupSync(3);  // two tables: when all come here again, all have left the last but one
      int first, last;
      stagesOf(tile.split, first, last);
      for (int k = first; k < last; ++k, cursor.advance()) {
        uint32_t stage = ring_ + cursor.stage * STAGE_BYTES;
        barrierWait(empty(cursor.stage), cursor.parity ^ 1);
        if (thread == 0) {
          barrierExpect(full(cursor.stage), WEIGHT_BYTES);
          copyWeights(stage, tile, k, cursor.stage);
        }
        int column = k * COLUMNS + piece * (COLUMNS / 8);
        bool valid = column < args_.in;
        const T* source = static_cast<const T*>(args_.tokens) + (valid ? column : 0);
#pragma unroll
        for (int i = 0; i < MAX_N / 16; ++i) {
          if (i * 16 < tile.rows) {
            int64_t token = sources[firstRow + i * 16];
            copy16(stage + target + i * 2048, source + token * args_.in, valid);
          }
        }
        arriveAfterCopies(full(cursor.stage));
      }
      sources = sources == sources_ ? sources_ + MAX_N : sources_;
    }
  }

  // ---- consumers ----

  __device__ void consume() {
    int warpgroup = threadIdx.x >> 7;
    Tiles all = tiles();
    RingCursor<STAGES> cursor;
    RingCursor<QUEUE> taken;
    for (int item = firstItem(); item < all.total(); item = take(taken, item, false)) {
      Tile tile = all.at(item);
      int first, last;
      stagesOf(tile.split, first, last);
      runAtWidth(tile, cursor, last - first, warpgroup);
    }
  }

  /// Chooses the narrowest instruction that covers the tile's tokens.
  __device__ __forceinline__ void runAtWidth(
      const Tile& tile, RingCursor<STAGES>& cursor, int steps, int warpgroup) {
    int rows = tile.rows;
    if constexpr (MAX_N == 32) {
      if (rows <= 8) return runTile<8>(tile, cursor, steps, warpgroup);
      if (rows <= 16) return runTile<16>(tile, cursor, steps, warpgroup);
      return runTile<32>(tile, cursor, steps, warpgroup);
    } else {
      if (rows <= 32) return runTile<32>(tile, cursor, steps, warpgroup);
      if (rows <= 64) return runTile<64>(tile, cursor, steps, warpgroup);
      if (rows <= 96) return runTile<96>(tile, cursor, steps, warpgroup);
      if constexpr (MAX_N == 128) {
        return runTile<128>(tile, cursor, steps, warpgroup);
      } else {
        if (rows <= 128) return runTile<128>(tile, cursor, steps, warpgroup);
        if (rows <= 160) return runTile<160>(tile, cursor, steps, warpgroup);
        if (rows <= 192) return runTile<192>(tile, cursor, steps, warpgroup);
        if (rows <= 224) return runTile<224>(tile, cursor, steps, warpgroup);
        return runTile<256>(tile, cursor, steps, warpgroup);
      }
    }
  }

  template <int N>
  __device__ __forceinline__ void runTile(
      const Tile& tile, RingCursor<STAGES>& cursor, int steps, int warpgroup) {
    float sums[N / 2];
    multiply<N>(sums, cursor, steps, warpgroup);
    pin(sums);
    finish<N>(sums, tile, warpgroup);
  }

  template <int N>
  __device__ __forceinline__ void multiply(
      float (&sums)[N / 2], RingCursor<STAGES>& cursor, int steps, int warpgroup) {
    awaitStage(cursor);
    wgmmaFence();
    multiplyStage<N, true>(sums, cursor.stage, warpgroup);
    int previous = cursor.stage;
    cursor.advance();
    for (int step = 1; step < steps; ++step) {
      awaitStage(cursor);
      wgmmaFence();
      multiplyStage<N, false>(sums, cursor.stage, warpgroup);
      wgmmaWait<1>();
      release(previous);
      previous = cursor.stage;
      cursor.advance();
    }
    wgmmaWait<0>();
    release(previous);
  }

  template <int N, bool FIRST>
  __device__ __forceinline__ void multiplyStage(float* sums, int slot, int warpgroup) {
    uint32_t stage = ring_ + slot * STAGE_BYTES;
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

  __device__ __forceinline__ void awaitStage(const RingCursor<STAGES>& cursor) {
    barrierWait(full(cursor.stage), cursor.parity);
    if (GATHER) sharedProxyFence();
  }

  __device__ __forceinline__ void release(int stage) {
    int lane = threadIdx.x & 31;
    if (CLUSTER > 1) {
      if (lane < CLUSTER) barrierArriveAt(empty(stage), lane);
    } else if (lane == 0) {
      barrierArrive(empty(stage));
    }
  }

  // ---- epilogue ----

  /// Bias, activation, store. A thread has weight rows lane / 4 and + 8 of its warp's 16, and of
  /// every 8 tokens two neighbours. If gated, the second row is the partner of the first.
  template <int N>
  __device__ __forceinline__ void finish(float (&sums)[N / 2], const Tile& tile, int warpgroup) {
    int lane = threadIdx.x & 31;
    int warp = (threadIdx.x >> 5) & 3;
    int firstColumn = warpgroup * (OUTPUTS / 2) + warp * (OUTPUTS / 8);
    int column = tile.firstOutput + firstColumn + (lane >> 2);
    float low = 0.0f, high = 0.0f;  // biases
    if (tile.split == 0) {
      int base = tile.expert * args_.outWidth;
      if (GATED) {
        if (column < args_.outWidth) {
          if (args_.gateBias) low = args_.gateBias[base + column];
          if (args_.bias) high = args_.bias[base + column];
        }
      } else if (args_.bias) {
        if (column < args_.outWidth) low = args_.bias[base + column];
        if (column + 8 < args_.outWidth) high = args_.bias[base + column + 8];
      }
    }
#pragma unroll
    for (int chunk = 0; chunk * CHUNK < N; ++chunk) {
      constexpr int COUNT = (N < CHUNK ? N : CHUNK) / 2;
      float values[CHUNK / 2] = {};
#pragma unroll
      for (int i = 0; i < COUNT; ++i) values[i] = sums[chunk * (CHUNK / 2) + i];
      activateChunk(values, low, high);
      if constexpr (sizeof(Out) == 4) {
        storeDirect(values, tile, chunk * CHUNK, column);
      } else {
        storeChunk(values, tile, chunk, warpgroup, warp, lane);
      }
    }
  }

  __device__ __forceinline__ void activateChunk(float* values, float low, float high) {
    if constexpr (ACTIVATION != ANY_ACTIVATION) {
      activate<ACTIVATION>(values, low, high);
    } else {
      switch (args_.activation) {
        case GELU:
          activate<GELU>(values, low, high);
          break;
        case SILU:
          activate<SILU>(values, low, high);
          break;
        case RELU:
          activate<RELU>(values, low, high);
          break;
        default:
          activate<NONE>(values, low, high);
          break;
      }
    }
  }

  template <int KIND>
  static __device__ __forceinline__ float activation(float x) {
    if constexpr (std::is_same_v<T, bf16>) {
      return activateFast<KIND>(x);
    } else {
      return activateFine<KIND>(x);
    }
  }

  /// If gated, leaves the results where the gate's products were.
  template <int KIND>
  __device__ __forceinline__ void activate(float* values, float low, float high) {
#pragma unroll
    for (int i = 0; i < CHUNK / 2; i += 4) {
#pragma unroll
      for (int token = 0; token < 2; ++token) {
        float& a = values[i + token];
        float& b = values[i + token + 2];
        if (GATED) {
          float gate = (args_.upFirst ? b : a) + low;
          float up = (args_.upFirst ? a : b) + high;
          a = activation<KIND>(gate) * up;
        } else {
          a = activation<KIND>(a + low);
          b = activation<KIND>(b + high);
        }
      }
    }
  }

  /// float32: 8 lanes write 32 bytes of one row, a full sector.
  __device__ __forceinline__ void storeDirect(
      const float* values, const Tile& tile, int firstToken, int column) {
    float* out = static_cast<float*>(args_.out) +
                 static_cast<int64_t>(tile.split) * args_.slots * args_.outWidth;
#pragma unroll
    for (int i = 0; i < CHUNK / 2; ++i) {
      int token = firstToken + (i >> 2) * 8 + (threadIdx.x & 3) * 2 + (i & 1);
      int at = column + ((i & 2) ? 8 : 0);
      if ((!GATED || !(i & 2)) && token < tile.rows && at < args_.outWidth) {
        out[static_cast<int64_t>(tile.firstRow + token) * args_.outWidth + at] = values[i];
      }
    }
  }

  /// 16 bits: 32 tokens by the warpgroup's outputs are turned over in shared memory and leave in
  /// pieces of 16 bytes, neighbours together.
  __device__ __forceinline__ void storeChunk(
      const float* v, const Tile& tile, int chunk, int warpgroup, int warp, int lane) {
    constexpr int PIECES = OUTPUTS / 16;  // of 8 outputs, in a warpgroup's row
    uint32_t buffer = chunks_ + (warpgroup * 2 + turn_) * CHUNK_BYTES;
    turn_ ^= 1;
    if constexpr (GATED) {
      uint32_t address = buffer + piece(lane, warp);
      storeTransposed(address, packHalves<Out>(v[0], v[1]), packHalves<Out>(v[4], v[5]), packHalves<Out>(v[8], v[9]),
                      packHalves<Out>(v[12], v[13]));
    } else {
      int token = (lane >> 4) * 8 + (lane & 7);
      int at = warp * 2 + ((lane >> 3) & 1);
      storeTransposed(buffer + piece(token, at), packHalves<Out>(v[0], v[1]), packHalves<Out>(v[2], v[3]),
                      packHalves<Out>(v[4], v[5]), packHalves<Out>(v[6], v[7]));
      storeTransposed(buffer + piece(token + 16, at), packHalves<Out>(v[8], v[9]),
                      packHalves<Out>(v[10], v[11]), packHalves<Out>(v[12], v[13]), packHalves<Out>(v[14], v[15]));
    }
    // Two buffers: when all have come here again, all have read this one.
    warpgroupSync(1 + warpgroup);
    Out* out = static_cast<Out*>(args_.out);
    int thread = threadIdx.x & 127;
#pragma unroll
    for (int i = thread; i < CHUNK * PIECES; i += 128) {
      int token = i / PIECES;
      int at = i % PIECES;
      int column = tile.firstOutput + (warpgroup * PIECES + at) * 8;
      if (chunk * CHUNK + token < tile.rows && column < args_.outWidth) {
        int64_t row = tile.firstRow + chunk * CHUNK + token;
        *reinterpret_cast<uint4*>(out + row * args_.outWidth + column) =
            *reinterpret_cast<const uint4*>(__cvta_shared_to_generic(buffer + piece(token, at)));
      }
    }
  }

  /// Offset of 8 outputs of a token in a chunk, swizzled so that 8 tokens touch all banks.
  static __device__ __forceinline__ int piece(int token, int at) {
    return GATED ? token * 64 + ((at ^ ((token >> 1) & 3)) << 4)
                 : token * 128 + ((at ^ (token & 7)) << 4);
  }

  const CUtensorMap* weights_;
  const CUtensorMap* rows_;
  const GroupedGemm& args_;
  uint32_t ring_, chunks_, barriers_, queue_;
  int rank_ = 0;  // in the cluster
  int turn_ = 0;  // which of its two chunks a consumer writes next
  int* sources_;
  int* offsets_;
  int* starts_;
};

}  // namespace moe
