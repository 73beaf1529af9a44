// What attention in bf16 and its gradient share: tiles of 64 rows of a head in shared memory, and products of
// a warp's 16 rows with them. Rows of tiles are 128 bytes whose 16-byte pieces change places by the row, so
// that the 8 rows of a matrix lie in different banks.
#pragma once

#include "asynchronous.cuh"
#include "mma.cuh"
#include "numeric.cuh"

namespace moe {

constexpr int TILE = 64;    // rows of a block, and of the other side
constexpr int EIGHTS = 8;   // of a head, or of a tile
constexpr int STEPS = 4;    // of 16
constexpr int THREADS = 128;

/// 64 rows of 64 numbers.
struct alignas(128) HalfTile {
  uint4 pieces[TILE][EIGHTS];

  __device__ __forceinline__ const uint4* at(int row, int piece) const {
    return &pieces[row][piece ^ (row & 7)];
  }
};

/// Waits for this thread's copies so far; a barrier makes those of others visible.
__device__ __forceinline__ void awaitTile() {
  endCopies();
  awaitCopies<0>();
}

/// Where a head's rows lie.
struct HeadRows {
  const bf16* from;
  int64_t stride;
  int length;
  int headSize;

  /// Begins to copy 64 rows; zeros beyond.
  __device__ __forceinline__ void copyTo(HalfTile& tile, int first) const {
#pragma unroll
    for (int i = 0; i < TILE * EIGHTS / THREADS; ++i) {
      int item = i * THREADS + threadIdx.x;
      int row = item >> 3, piece = item & 7;
      bool inside = first + row < length && piece * 8 < headSize;
      const bf16* source = inside ? from + (first + row) * stride + piece * 8 : from;
      copyLater(const_cast<uint4*>(tile.at(row, piece)), source, inside);
    }
  }
};

/// A warp's 16 rows of a tile as left operands.
struct OwnRows {
  uint32_t words[STEPS][4];

  __device__ __forceinline__ void load(const HalfTile& tile) {
    int lane = threadIdx.x & 31, row = (threadIdx.x >> 5) * 16 + (lane & 15);
#pragma unroll
    for (int step = 0; step < STEPS; ++step) {
      loadMatrices<false>(words[step], tile.at(row, step * 2 + (lane >> 4)));
    }
  }
};

/// d[0], d[1] += `a`'s 16 rows times 2 · 8 rows of a tile from `first` on, over the whole head.
__device__ __forceinline__ void multiplyRows(
    float (&left)[4], float (&right)[4], const OwnRows& a, const HalfTile& tile, int first) {
  int lane = threadIdx.x & 31;
  int row = first + (lane & 7) + (lane >> 4) * 8, piece = (lane >> 3) & 1;
#pragma unroll
  for (int step = 0; step < STEPS; ++step) {
    uint32_t b[4];
    loadMatrices<false>(b, tile.at(row, step * 2 + piece));
    const uint32_t(&w)[4] = a.words[step];
    multiplyBf16(left, w[0], w[1], w[2], w[3], b[0], b[1]);
    multiplyBf16(right, w[0], w[1], w[2], w[3], b[2], b[3]);
  }
}

/// sums += 16 × 16 of `a` times 16 rows of a tile from `first` on.
__device__ __forceinline__ void multiplyColumns(
    float (&sums)[EIGHTS][4], const uint32_t (&a)[4], const HalfTile& tile, int first) {
  int lane = threadIdx.x & 31;
  int row = first + (lane & 15), piece = lane >> 4;
#pragma unroll
  for (int pair = 0; pair < EIGHTS / 2; ++pair) {
    uint32_t b[4];
    loadMatrices<true>(b, tile.at(row, pair * 2 + piece));
    multiplyBf16(sums[2 * pair], a[0], a[1], a[2], a[3], b[0], b[1]);
    multiplyBf16(sums[2 * pair + 1], a[0], a[1], a[2], a[3], b[2], b[3]);
  }
}

/// Two results of 8 columns side by side as a left operand.
__device__ __forceinline__ void asOperand(
    uint32_t (&a)[4], const float (&left)[4], const float (&right)[4]) {
  a[0] = packBf16(left[0], left[1]);
  a[1] = packBf16(left[2], left[3]);
  a[2] = packBf16(right[0], right[1]);
  a[3] = packBf16(right[2], right[3]);
}

/// The sum over the four lanes that share a row.
__device__ __forceinline__ float rowSum(float value) {
  value += __shfl_xor_sync(~0u, value, 1);
  return value + __shfl_xor_sync(~0u, value, 2);
}

__device__ __forceinline__ float rowMax(float value) {
  value = fmaxf(value, __shfl_xor_sync(~0u, value, 1));
  return fmaxf(value, __shfl_xor_sync(~0u, value, 2));
}

__device__ __forceinline__ void storePair(float* to, float left, float right) {
  *reinterpret_cast<float2*>(to) = make_float2(left, right);
}

__device__ __forceinline__ void storePair(bf16* to, float left, float right) {
  *reinterpret_cast<uint32_t*>(to) = packBf16(left, right);
}

/// Stores a warp's 16 rows of 64 columns, times `upper` and `lower`.
template <class Out>
__device__ __forceinline__ void storeRows(
    const float (&sums)[EIGHTS][4], Out* to, int first, int length, int64_t stride, int headSize,
    float upper, float lower) {
  int row = first + ((threadIdx.x & 31) >> 2), pair = (threadIdx.x & 3) * 2;
#pragma unroll
  for (int i = 0; i < EIGHTS; ++i) {
    int column = i * 8 + pair;
    if (column >= headSize) continue;
    Out* at = to + row * stride + column;
    if (row < length) storePair(at, sums[i][0] * upper, sums[i][1] * upper);
    if (row + 8 < length) storePair(at + 8 * stride, sums[i][2] * lower, sums[i][3] * lower);
  }
}

/// The rows of one head of one sequence.
struct HalfHead {
  HeadRows q, k, v;
  int64_t firstOut;  // of out and dOut
  int64_t firstSum;  // of logSumExp and means
  int64_t outStride;
  float scale;

  __device__ __forceinline__ HalfHead(const bf16* qkv, int length, int headSize) {
    int head = blockIdx.y, heads = gridDim.y;
    int64_t batch = blockIdx.z;
    int dModel = heads * headSize;
    const bf16* first = qkv + batch * length * 3 * dModel + head * headSize;
    q = {first, 3 * dModel, length, headSize};
    k = {first + dModel, 3 * dModel, length, headSize};
    v = {first + 2 * dModel, 3 * dModel, length, headSize};
    firstOut = batch * length * dModel + head * headSize;
    firstSum = (batch * heads + head) * length;
    outStride = dModel;
    scale = 1.0f / sqrtf(static_cast<float>(headSize));
  }

  __device__ __forceinline__ HeadRows rowsOf(const bf16* d) const {
    return {d + firstOut, outStride, q.length, q.headSize};
  }
};

}  // namespace moe
