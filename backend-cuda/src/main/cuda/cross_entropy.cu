// moe_cross_entropy: losses[r] = log Σ e^logits[r] − logits[r, target] and its gradient, one block a
// row: a pass for the largest and the sum (rescaled as a larger one appears), a pass for the
// gradient. moe_argmax: the index of the largest of each row.
//
// logits     F32 [rows, vocab]
// targets    I32 [rows]; negative: masked, loss and gradient 0; beyond vocab: NaN
// losses     F32 [rows]
// dLogits    F32 [rows, vocab] or null, gradientScale · (softmax − one-hot); may be logits
// indexes    I32 [rows]; of equals the smallest, NaN never, 0 for a row of NaN
//
// Launch: block = 512 (moe_argmax: 1024), grid = rows, shared = 0.
#include "dependent.cuh"
#include "numeric.cuh"
#include "reduce.cuh"

namespace moe {

constexpr int ROW_BLOCK = 512;

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
    sum = sum * expf(max - larger) + otherSum * expf(otherMax - larger);
    max = larger;
  }

  /// NaN makes the sum NaN.
  __device__ __forceinline__ void add(float x) {
    if (x <= max) {
      sum += expf(x - max);
    } else if (x > max) {
      sum = sum * expf(max - x) + 1.0f;
      max = x;
    } else {
      sum += x;
    }
  }
};

}  // namespace moe

extern "C" __global__ void __launch_bounds__(512)
    moe_cross_entropy(const float* logits, const int* targets, float* losses, float* dLogits,
                      int vocab, float gradientScale) {
  __shared__ float maxima[16], sums[16];
  int64_t at = static_cast<int64_t>(blockIdx.x) * vocab;
  int target = targets[blockIdx.x];
  if (target < 0) {
    if (threadIdx.x == 0) losses[blockIdx.x] = 0.0f;
    if (dLogits) {
      for (int i = threadIdx.x; i < vocab; i += moe::ROW_BLOCK) dLogits[at + i] = 0.0f;
    }
    return;
  }
  float correct = target < vocab ? logits[at + target] : __int_as_float(0x7fc00000);
  moe::ExpSum mine;
  for (int i = threadIdx.x; i < vocab; i += moe::ROW_BLOCK) {
    float x = logits[at + i];
    if (mine.sum == 0.0f && x == -INFINITY) continue;  // e^−∞, before there is a max
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
  moe::ExpSum all;
  for (int warp = 0; warp < 16; ++warp) all.add(maxima[warp], sums[warp]);
  if (threadIdx.x == 0) losses[blockIdx.x] = all.max - correct + logf(all.sum);
  if (!dLogits) return;
  float factor = gradientScale / all.sum;
  for (int i = threadIdx.x; i < vocab; i += moe::ROW_BLOCK) {
    float d = expf(logits[at + i] - all.max) * factor;
    dLogits[at + i] = i == target ? d - gradientScale : d;
  }
}

extern "C" __global__ void __launch_bounds__(1024)
    moe_argmax(const float* x, int* indexes, int width) {
  __shared__ float values[32];
  __shared__ int places[32];
  constexpr int BATCH = 10;  // loads under way together
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
#pragma unroll
  for (int step = 16; step > 0; step /= 2) {
    float other = __shfl_xor_sync(~0u, best, step);
    int otherPlace = __shfl_xor_sync(~0u, place, step);
    if (other > best || (other == best && otherPlace < place)) {
      best = other;
      place = otherPlace;
    }
  }
  if ((threadIdx.x & 31) == 0) {
    values[threadIdx.x >> 5] = best;
    places[threadIdx.x >> 5] = place;
  }
  __syncthreads();
  if (threadIdx.x != 0) return;
  for (int warp = 1; warp < 32; ++warp) {
    if (values[warp] > best || (values[warp] == best && places[warp] < place)) {
      best = values[warp];
      place = places[warp];
    }
  }
  indexes[blockIdx.x] = place == 0x7fffffff ? 0 : place;
}
