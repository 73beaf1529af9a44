// What the grouped product is made of: its arguments, what a kernel is made for, and the tiles that its
// blocks take one by one. Algorithm: grouped_gemm.cuh.
#pragma once

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

constexpr int STAGE_BYTES_K = 128;           // of a row in a stage
constexpr int TILE_WEIGHTS = 128;            // weight rows in a tile
constexpr int WEIGHT_BYTES = TILE_WEIGHTS * STAGE_BYTES_K;
constexpr int COPY_ROWS = 32;                // tokens in a box of their tensor map
constexpr int CHUNK = 32;                    // tokens of an epilogue step
constexpr int CHUNK_BYTES = CHUNK * 64 * 2;  // by 64 outputs of a warpgroup
constexpr int CONSUMERS = 256;               // threads
constexpr int PRODUCERS = 128;               // threads
constexpr int GEMM_THREADS = CONSUMERS + PRODUCERS;
constexpr int ANY_ACTIVATION = -1;

/// What a kernel is made for: its parameters, and what follows from them.
/// @tparam T_ of weights and tokens: bf16, f16, or float for TF32
/// @tparam MAX_N_ most tokens of a tile: 32, 128 or 256
/// @tparam STAGES_ of the ring
/// @tparam GATHER_ tokens come through `assignments`, not by a tensor map
/// @tparam CLUSTER_ blocks, 1 or 2
/// @tparam ACTIVATION_ an Activation, or ANY_ACTIVATION to read it from the arguments
/// @tparam Out_ T_ or float
/// @tparam TRANSPOSED_ the weights are [experts, in, outWidth]: the products of the backward pass;
///   not of float
template <
    class T_, int MAX_N_, int STAGES_, bool GATED_, bool GATHER_, int CLUSTER_, int ACTIVATION_,
    class Out_, bool TRANSPOSED_ = false>
struct GroupedShape {
  using T = T_;
  using Out = Out_;
  static constexpr int MAX_N = MAX_N_;
  static constexpr int STAGES = STAGES_;
  static constexpr bool GATED = GATED_;
  static constexpr bool GATHER = GATHER_;
  static constexpr int CLUSTER = CLUSTER_;
  static constexpr int ACTIVATION = ACTIVATION_;
  static constexpr bool TRANSPOSED = TRANSPOSED_;

  static constexpr int COLUMNS = STAGE_BYTES_K / sizeof(T);  // of K in a stage
  static constexpr int STAGE_BYTES = WEIGHT_BYTES + MAX_N * STAGE_BYTES_K;
  static constexpr int OUTPUTS = GATED ? TILE_WEIGHTS / 2 : TILE_WEIGHTS;  // of a tile
  static constexpr bool DRAWN = MAX_N == 256;  // tiles are drawn by ticket, not dealt in turn
  static_assert(!GATHER || CLUSTER == 1, "16-byte copies reach one block");
};

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

}  // namespace moe
