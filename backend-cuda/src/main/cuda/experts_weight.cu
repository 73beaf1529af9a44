// moe_experts_weight: dW_e += dOut_eᵀ · x_e over the rows of every expert: the gradient of a product
// of experts_up.cu or experts_down.cu with respect to its weights; of a dense product with one
// expert. sm_90a. Each element is added to once, its rows in ascending order in steps of 64: the same
// bits every time.
//
// dOut     bf16 [rows, out], sorted by expert
// x        bf16 [rows, in], sorted by expert
// offsets  I32 [experts + 1]; null: one expert has all rows
// dWeight  F32 [experts, out, in], added to
//
//   warpgroup 0, 1   consumers: 64 of the tile's 128 rows of dW each, all its 256 columns
//   warpgroup 2      one thread fetches 64 rows of both operands a stage
//
// Both operands have the summed dimension as their rows, so the tensor cores read both transposed.
// The last stage of an expert reaches into the next one's rows: these are overwritten with zeros in
// shared memory.
//
// Launch: grid = multiprocessors (any is right), block = 384,
//   shared = 1024 + 4 · 49152 + 64 + 4 · (experts + 1).
// Parameters: tensor map of dOut, tensor map of x, WeightGemm by value.
// Tensor maps: bf16, swizzle 128 bytes, zeros outside, {width, rows}, box {64, 64}; strides multiples
//   of 16 bytes.
#include "numeric.cuh"
#include "sm90.cuh"

namespace moe {

struct WeightGemm {
  const int* offsets;
  float* dWeight;
  int experts;
  int rows;
  int out;
  int in;
  int overwrite;  // whether dWeight holds nothing yet
};

constexpr int WEIGHT_STAGES = 4;
constexpr int WEIGHT_STEP = 64;  // rows of a stage
constexpr int WEIGHT_OUT = 128;
constexpr int WEIGHT_IN = 256;
constexpr int BOX_BYTES = WEIGHT_STEP * 64 * 2;
constexpr int LEFT_BYTES = WEIGHT_OUT / 64 * BOX_BYTES;
constexpr int WEIGHT_STAGE_BYTES = LEFT_BYTES + WEIGHT_IN / 64 * BOX_BYTES;
constexpr int WEIGHT_CONSUMERS = 256;  // threads

class WeightGemmKernel {
 public:
  __device__ WeightGemmKernel(uint8_t* shared, const WeightGemm& args)
      : args_(args), ring_(sharedAddress(shared)),
        barriers_(ring_ + WEIGHT_STAGES * WEIGHT_STAGE_BYTES),
        offsets_(reinterpret_cast<int*>(shared + WEIGHT_STAGES * WEIGHT_STAGE_BYTES + 64)),
        columns_((args.in + WEIGHT_IN - 1) / WEIGHT_IN),
        tiles_((args.out + WEIGHT_OUT - 1) / WEIGHT_OUT * columns_) {}

  __device__ void initialise(const CUtensorMap* dOut, const CUtensorMap* x) {
    if (threadIdx.x == 0) {
      for (int stage = 0; stage < WEIGHT_STAGES; ++stage) {
        barrierInit(full(stage), 1);
        barrierInit(empty(stage), WEIGHT_CONSUMERS / 32);
      }
      barrierInitFence();
      prefetchMap(dOut);
      prefetchMap(x);
    }
    awaitPredecessor();
    for (int e = threadIdx.x; e <= args_.experts; e += blockDim.x) {
      offsets_[e] = args_.offsets ? args_.offsets[e] : e * args_.rows;
    }
    __syncthreads();
    releaseSuccessor();
  }

  __device__ void produce(const CUtensorMap* dOut, const CUtensorMap* x) {
    for (int item = blockIdx.x; item < args_.experts * tiles_; item += gridDim.x) {
      Tile tile = at(item);
      for (int row = 0; row < tile.count; row += WEIGHT_STEP) {
        uint32_t stage = ring_ + stage_ * WEIGHT_STAGE_BYTES;
        barrierWait(empty(stage_), parity_ ^ 1);
        barrierExpect(full(stage_), WEIGHT_STAGE_BYTES);
        for (int i = 0; i < WEIGHT_OUT / 64; ++i) {
          copyBox(stage + i * BOX_BYTES, dOut, full(stage_), tile.firstOut + i * 64,
                  tile.firstRow + row);
        }
        for (int i = 0; i < WEIGHT_IN / 64; ++i) {
          copyBox(stage + LEFT_BYTES + i * BOX_BYTES, x, full(stage_), tile.firstIn + i * 64,
                  tile.firstRow + row);
        }
        advance();
      }
    }
  }

  __device__ void consume() {
    int warpgroup = threadIdx.x >> 7;
    for (int item = blockIdx.x; item < args_.experts * tiles_; item += gridDim.x) {
      Tile tile = at(item);
      float sums[WEIGHT_IN / 2] = {};
      if (tile.count == 0) {
        if (args_.overwrite) add(sums, tile, warpgroup);
        continue;
      }
      awaitStage(tile.count, warpgroup);
      multiply<true>(sums, warpgroup);
      int previous = stage_;
      advance();
      for (int row = WEIGHT_STEP; row < tile.count; row += WEIGHT_STEP) {
        awaitStage(tile.count - row, warpgroup);
        multiply<false>(sums, warpgroup);
        wgmmaWait<1>();
        release(previous);
        previous = stage_;
        advance();
      }
      wgmmaWait<0>();
      release(previous);
      pin(sums);
      add(sums, tile, warpgroup);
    }
  }

 private:
  struct Tile {
    int expert, firstRow, count, firstOut, firstIn;
  };

  /// Columns vary fastest: blocks that run together share rows of dW, and with them dOut.
  __device__ __forceinline__ Tile at(int item) const {
    int expert = item / tiles_, local = item % tiles_;
    int begin = offsets_[expert];
    return {expert, begin, offsets_[expert + 1] - begin, local / columns_ * WEIGHT_OUT,
            local % columns_ * WEIGHT_IN};
  }

  __device__ uint32_t full(int stage) const { return barriers_ + stage * 8; }
  __device__ uint32_t empty(int stage) const { return barriers_ + (WEIGHT_STAGES + stage) * 8; }

  __device__ __forceinline__ void advance() {
    if (++stage_ == WEIGHT_STAGES) {
      stage_ = 0;
      parity_ ^= 1;
    }
  }

  __device__ __forceinline__ void release(int stage) {
    if ((threadIdx.x & 31) == 0) barrierArrive(empty(stage));
  }

  /// Waits for a stage. Its rows from `valid` on become zeros in both operands: 0 · NaN is none.
  __device__ __forceinline__ void awaitStage(int valid, int warpgroup) {
    barrierWait(full(stage_), parity_);
    if (valid < WEIGHT_STEP) {
      uint32_t stage = ring_ + stage_ * WEIGHT_STAGE_BYTES;
      for (int box = warpgroup; box < WEIGHT_STAGE_BYTES / BOX_BYTES; box += 2) {
        for (int at = valid * 128 + (threadIdx.x & 127) * 16; at < BOX_BYTES; at += 128 * 16) {
          asm volatile("st.shared.v4.u32 [%0], {%1, %1, %1, %1};" ::"r"(stage + box * BOX_BYTES + at),
                       "r"(0)
                       : "memory");
        }
      }
      sharedProxyFence();
      asm volatile("bar.sync 1, 256;" ::: "memory");  // both consumers
    }
    wgmmaFence();
  }

  template <bool FIRST>
  __device__ __forceinline__ void multiply(float (&sums)[WEIGHT_IN / 2], int warpgroup) {
    uint32_t stage = ring_ + stage_ * WEIGHT_STAGE_BYTES;
    uint64_t left = swizzledRows(stage + warpgroup * BOX_BYTES);
    uint64_t right = swizzledColumns(stage + LEFT_BYTES, BOX_BYTES);
#pragma unroll
    for (int k = 0; k < WEIGHT_STEP / 16; ++k) {
      // 16 rows of 128 bytes are 128 units of a descriptor.
      if (FIRST && k == 0) {
        Wgmma<bf16, WEIGHT_IN, 1, 1>::start(sums, left, right);
      } else {
        Wgmma<bf16, WEIGHT_IN, 1, 1>::add(sums, left + 128 * k, right + 128 * k);
      }
    }
    wgmmaCommit();
  }

  /// A thread has rows lane / 4 and + 8 of its warp's 16, and of every 8 columns two neighbours.
  __device__ __forceinline__ void add(
      const float (&sums)[WEIGHT_IN / 2], const Tile& tile, int warpgroup) {
    int lane = threadIdx.x & 31, warp = (threadIdx.x >> 5) & 3;
    int row = tile.firstOut + warpgroup * 64 + warp * 16 + (lane >> 2);
    int column = tile.firstIn + (lane & 3) * 2;
    float* upper =
        args_.dWeight + (static_cast<int64_t>(tile.expert) * args_.out + row) * args_.in + column;
    float* lower = upper + 8ll * args_.in;
    bool hasUpper = row < args_.out, hasLower = row + 8 < args_.out;
    bool pairs = args_.in % 2 == 0;
    constexpr int BATCH = 8;  // loads under way together
#pragma unroll
    for (int base = 0; base < WEIGHT_IN / 8; base += BATCH) {
      float2 old[BATCH][2] = {};
#pragma unroll
      for (int i = 0; i < BATCH; ++i) {
        int at = (base + i) * 8;
        if (hasUpper && !args_.overwrite) old[i][0] = load(upper + at, column + at, pairs);
        if (hasLower && !args_.overwrite) old[i][1] = load(lower + at, column + at, pairs);
      }
#pragma unroll
      for (int i = 0; i < BATCH; ++i) {
        int at = (base + i) * 8;
        const float* s = sums + (base + i) * 4;
        float2 up = make_float2(old[i][0].x + s[0], old[i][0].y + s[1]);
        float2 low = make_float2(old[i][1].x + s[2], old[i][1].y + s[3]);
        if (hasUpper) store(upper + at, column + at, pairs, up);
        if (hasLower) store(lower + at, column + at, pairs, low);
      }
    }
  }

  __device__ __forceinline__ float2 load(const float* from, int column, bool pairs) const {
    if (pairs) {
      return column < args_.in ? *reinterpret_cast<const float2*>(from) : make_float2(0, 0);
    }
    return make_float2(column < args_.in ? from[0] : 0.0f, column + 1 < args_.in ? from[1] : 0.0f);
  }

  __device__ __forceinline__ void store(float* to, int column, bool pairs, float2 value) const {
    if (pairs) {
      if (column < args_.in) *reinterpret_cast<float2*>(to) = value;
      return;
    }
    if (column < args_.in) to[0] = value.x;
    if (column + 1 < args_.in) to[1] = value.y;
  }

  const WeightGemm& args_;
  uint32_t ring_, barriers_;
  int* offsets_;
  int columns_, tiles_;
  int stage_ = 0;
  uint32_t parity_ = 0;
};

}  // namespace moe

extern "C" __global__ void __launch_bounds__(384, 1)
    moe_experts_weight(const __grid_constant__ CUtensorMap dOut,
                       const __grid_constant__ CUtensorMap x,
                       const __grid_constant__ moe::WeightGemm args) {
  extern __shared__ uint8_t unaligned[];
  uint8_t* shared = reinterpret_cast<uint8_t*>(
      (reinterpret_cast<uintptr_t>(unaligned) + 1023) & ~uintptr_t{1023});
  moe::WeightGemmKernel kernel(shared, args);
  kernel.initialise(&dOut, &x);
  if (threadIdx.x >= moe::WEIGHT_CONSUMERS) {
    moe::giveRegisters<40>();
    if (threadIdx.x == moe::WEIGHT_CONSUMERS) kernel.produce(&dOut, &x);
  } else {
    moe::takeRegisters<232>();
    kernel.consume();
  }
}
