// moe_cross_entropy: losses[r] = log Σ e^logits[r] − logits[r, target] and its gradient, one block a
// row: a pass for the largest and the sum (rescaled as a larger one appears), a pass for the
// gradient, for which the row lies in the L2. moe_argmax: the index of the largest of each row.
//
// logits     F32 [rows, vocab]
// targets    I32 [rows]; negative: masked, loss and gradient 0; beyond vocab: NaN
// losses     F32 [rows]
// dLogits    gradientScale · (softmax − one-hot): F32 [rows, vocab] or null, may be logits;
//            moe_cross_entropy_half: bf16 [rows, stride], columns from vocab on 0, stride even
// indexes    I32 [rows]; of equals the smallest, NaN never, 0 for a row of NaN
//
// Launch: block = 1024, grid = rows, shared = 0. One block a multiprocessor: the rows of all of them
// are less than the L2 of the GPUs that have large vocabularies to do.
#include "dependent.cuh"
#include "exponential.cuh"
#include "numeric.cuh"
#include "reduce.cuh"

namespace moe {

constexpr int ROW_BLOCK = 1024;
constexpr int ROW_BATCH = 16;  // loads under way together

/// e^x.
__device__ __forceinline__ float exponential(float x) { return power2(x * LOG2_E); }

/// Σ e^(x − max) with its max.
struct ExpSum {
  float max = -INFINITY;
  float sum = 0.0f;

  __device__ __forceinline__ void add(float otherMax, float otherSum) {
    float larger = fmaxf(max, otherMax);
    if (larger == -INFINITY) {
      sum += otherSum;  // nothing yet, or NaN to be kept
      return;
    }
    sum = sum * exponential(max - larger) + otherSum * exponential(otherMax - larger);
    max = larger;
  }

  /// NaN makes the sum NaN.
  __device__ __forceinline__ void add(const float (&x)[ROW_BATCH]) {
    float larger = max;
#pragma unroll
    for (int i = 0; i < ROW_BATCH; ++i) larger = fmaxf(larger, x[i]);
    float more = 0.0f;
#pragma unroll
    for (int i = 0; i < ROW_BATCH; ++i) {
      // The largest may be infinite, and −∞ the largest so far.
      more += x[i] == larger ? (larger == -INFINITY ? 0.0f : 1.0f) : exponential(x[i] - larger);
    }
    sum = (max == larger ? sum : sum * exponential(max - larger)) + more;
    max = larger;
  }
};

/// The sum over a row of a block's threads, known to all.
__device__ __forceinline__ ExpSum expSumOf(const float* row, int vocab) {
  __shared__ float maxima[ROW_BLOCK / 32], sums[ROW_BLOCK / 32];
  ExpSum mine;
  for (int base = threadIdx.x; base < vocab; base += ROW_BATCH * ROW_BLOCK) {
    float x[ROW_BATCH];
#pragma unroll
    for (int i = 0; i < ROW_BATCH; ++i) {
      int column = base + i * ROW_BLOCK;
      x[i] = column < vocab ? row[column] : -INFINITY;
    }
    mine.add(x);
  }
#pragma unroll
  for (int step = 16; step > 0; step /= 2) {
    float otherMax = __shfl_xor_sync(~0u, mine.max, step);
    float otherSum = __shfl_xor_sync(~0u, mine.sum, step);
    mine.add(otherMax, otherSum);
  }
  if ((threadIdx.x & 31) == 0) {
    maxima[threadIdx.x >> 5] = mine.max;
    sums[threadIdx.x >> 5] = mine.sum;
  }
  __syncthreads();
  ExpSum all;
  for (int warp = 0; warp < ROW_BLOCK / 32; ++warp) all.add(maxima[warp], sums[warp]);
  return all;
}

/// The loss of this block's row; whether it counts.
__device__ __forceinline__ bool rowLoss(
    const float* row, int target, float* losses, int vocab, ExpSum& all) {
  if (target < 0) {
    if (threadIdx.x == 0) losses[blockIdx.x] = 0.0f;
    return false;
  }
  float correct = target < vocab ? row[target] : __int_as_float(0x7fc00000);
  all = expSumOf(row, vocab);
  if (threadIdx.x == 0) losses[blockIdx.x] = all.max - correct + logf(all.sum);
  return true;
}

}  // namespace moe

extern "C" __global__ void __launch_bounds__(1024, 1)
    moe_cross_entropy(const float* logits, const int* targets, float* losses, float* dLogits,
                      int vocab, float gradientScale) {
  using namespace moe;
  const float* row = logits + static_cast<int64_t>(blockIdx.x) * vocab;
  int target = targets[blockIdx.x];
  ExpSum all;
  bool counts = rowLoss(row, target, losses, vocab, all);
  if (!dLogits) return;
  float* to = dLogits + static_cast<int64_t>(blockIdx.x) * vocab;
  float factor = counts ? gradientScale / all.sum : 0.0f;
  for (int base = threadIdx.x; base < vocab; base += ROW_BATCH * ROW_BLOCK) {
    float x[ROW_BATCH];
#pragma unroll
    for (int i = 0; i < ROW_BATCH; ++i) {
      int column = base + i * ROW_BLOCK;
      x[i] = counts && column < vocab ? row[column] : 0.0f;
    }
#pragma unroll
    for (int i = 0; i < ROW_BATCH; ++i) {
      int column = base + i * ROW_BLOCK;
      float d = counts ? exponential(x[i] - all.max) * factor : 0.0f;
      if (column < vocab) to[column] = column == target ? d - gradientScale : d;
    }
  }
}

extern "C" __global__ void __launch_bounds__(1024, 1)
    moe_cross_entropy_half(const float* logits, const int* targets, float* losses,
                           moe::bf16* dLogits, int vocab, int stride, float gradientScale) {
  using namespace moe;
  awaitPredecessor();
  releaseSuccessor();
  const float* row = logits + static_cast<int64_t>(blockIdx.x) * vocab;
  int target = targets[blockIdx.x];
  ExpSum all;
  bool counts = rowLoss(row, target, losses, vocab, all);
  uint32_t* to = reinterpret_cast<uint32_t*>(dLogits + static_cast<int64_t>(blockIdx.x) * stride);
  float factor = counts ? gradientScale / all.sum : 0.0f;
  constexpr int PAIRS = ROW_BATCH / 2;
  for (int base = threadIdx.x; base < stride / 2; base += PAIRS * ROW_BLOCK) {
    float x[ROW_BATCH];
#pragma unroll
    for (int i = 0; i < ROW_BATCH; ++i) {
      int column = (base + i / 2 * ROW_BLOCK) * 2 + i % 2;
      x[i] = counts && column < vocab ? row[column] : 0.0f;
    }
#pragma unroll
    for (int i = 0; i < ROW_BATCH; ++i) {
      int column = (base + i / 2 * ROW_BLOCK) * 2 + i % 2;
      x[i] = counts && column < vocab ? exponential(x[i] - all.max) * factor : 0.0f;
      if (column == target) x[i] -= gradientScale;
    }
#pragma unroll
    for (int i = 0; i < PAIRS; ++i) {
      int pair = base + i * ROW_BLOCK;
      if (pair < stride / 2) to[pair] = packBf16(x[2 * i], x[2 * i + 1]);
    }
  }
}

namespace moe {

/// The largest of a warp's numbers and its place, of equals the first, known to all.
__device__ __forceinline__ void warpLargest(float& best, int& place) {
#pragma unroll
  for (int step = 16; step > 0; step /= 2) {
    float other = __shfl_xor_sync(~0u, best, step);
    int otherPlace = __shfl_xor_sync(~0u, place, step);
    if (other > best || (other == best && otherPlace < place)) {
      best = other;
      place = otherPlace;
    }
  }
}

}  // namespace moe

extern "C" __global__ void __launch_bounds__(1024)
    moe_argmax(const float* x, int* indexes, int width) {
  __shared__ float values[32];
  __shared__ int places[32];
  constexpr int BATCH = 25;  // loads under way together
  moe::awaitPredecessor();
  moe::releaseSuccessor();
  const float* row = x + static_cast<int64_t>(blockIdx.x) * width;
  float best = -INFINITY;
  int place = 0x7fffffff;
  for (int base = threadIdx.x; base < width; base += BATCH * 1024) {
    float batch[BATCH];
#pragma unroll
    for (int i = 0; i < BATCH; ++i) {
      batch[i] = base + i * 1024 < width ? row[base + i * 1024] : -INFINITY;
    }
#pragma unroll
    for (int i = 0; i < BATCH; ++i) {
      if (batch[i] > best) {
        best = batch[i];
        place = base + i * 1024;
      }
    }
  }
  moe::warpLargest(best, place);
  if ((threadIdx.x & 31) == 0) {
    values[threadIdx.x >> 5] = best;
    places[threadIdx.x >> 5] = place;
  }
  __syncthreads();
  if (threadIdx.x >= 32) return;
  best = values[threadIdx.x];
  place = places[threadIdx.x];
  moe::warpLargest(best, place);
  if (threadIdx.x == 0) indexes[blockIdx.x] = place == 0x7fffffff ? 0 : place;
}
