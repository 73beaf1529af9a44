// moe_layer_norm: y = (x − mean) / √(variance + ε) · gain + bias over rows. Gradients: layer_norm_back.cu.
//
// x, y              F32 [rows, width]
// rounded           bf16 [rows, width], y once more for a product that follows; null for none
// gain, bias        F32 [width]
// mean, inverse     F32 [rows], inverse = 1 / √(variance + ε)
//
// moe_add_layer_norm: x = a + b first; x may be a or b.
//
// Rows of at most 1024 numbers, a multiple of 4, all aligned to 16 bytes: a row a warp, in its registers.
//   moe_layer_norm_narrow, moe_add_layer_norm_narrow: block = 256, grid = ceil(rows / 8), shared = 0.
// Others:
//   moe_layer_norm, moe_add_layer_norm: block = 256, grid = rows, shared = 0. Two passes over a row,
//     which the L1 keeps.
#include "dependent.cuh"
#include "prefetch.cuh"
#include "reduce.cuh"
#include "warp_row.cuh"

namespace moe {

/// @param row of x; a thread reads the elements of other threads nowhere
__device__ __forceinline__ void layerNorm(
    const float* row, const float* gain, const float* bias, float* y, float* mean, float* inverse,
    float sum, int width, float epsilon) {
  float* to = y + static_cast<int64_t>(blockIdx.x) * width;
  float average = blockSum(sum) / width;
  float squares = 0.0f;
  for (int i = threadIdx.x; i < width; i += 256) {
    float d = row[i] - average;
    squares = fmaf(d, d, squares);
  }
  float scale = 1.0f / sqrtf(blockSum(squares) / width + epsilon);
  for (int i = threadIdx.x; i < width; i += 256) {
    to[i] = fmaf((row[i] - average) * scale, gain[i], bias[i]);
  }
  if (threadIdx.x == 0) {
    mean[blockIdx.x] = average;
    inverse[blockIdx.x] = scale;
  }
}

constexpr int NARROW = 8;  // times 4 numbers a lane

__device__ __forceinline__ void narrowNorm(
    WarpRow<NARROW>& x, int64_t row, const float* gain, const float* bias, float* y,
    bf16* rounded, float* mean, float* inverse, int width, float epsilon) {
  WarpRow<NARROW> factor, shift;  // under way during the sums
  factor.load(gain, width);
  shift.load(bias, width);
  float sum = 0.0f, squares = 0.0f;
  x.each(width, [&](float value, int) { sum += value; });
  float average = warpSum(sum) / width;
  x.each(width, [&](float value, int) {
    float d = value - average;
    squares = fmaf(d, d, squares);
  });
  float scale = 1.0f / sqrtf(warpSum(squares) / width + epsilon);
#pragma unroll
  for (int i = 0; i < NARROW; ++i) {
    float4 g = factor.fours[i], b = shift.fours[i];
    float4& v = x.fours[i];
    v.x = fmaf((v.x - average) * scale, g.x, b.x);
    v.y = fmaf((v.y - average) * scale, g.y, b.y);
    v.z = fmaf((v.z - average) * scale, g.z, b.z);
    v.w = fmaf((v.w - average) * scale, g.w, b.w);
  }
  x.store(y + row * width, width);
  if (rounded) x.store(rounded + row * width, width);
  if ((threadIdx.x & 31) == 0) {
    mean[row] = average;
    inverse[row] = scale;
  }
}

}  // namespace moe

extern "C" __global__ void __launch_bounds__(256)
    moe_layer_norm_narrow(const float* x, const float* gain, const float* bias, float* y,
                          moe::bf16* rounded, float* mean, float* inverse, int rows, int width,
                          float epsilon) {
  moe::prefetchRow(gain, width);
  moe::prefetchRow(bias, width);
  moe::awaitPredecessor();
  moe::releaseSuccessor();
  int64_t row = static_cast<int64_t>(blockIdx.x) * 8 + (threadIdx.x >> 5);
  if (row >= rows) return;
  moe::WarpRow<moe::NARROW> own;
  own.load(x + row * width, width);
  moe::narrowNorm(own, row, gain, bias, y, rounded, mean, inverse, width, epsilon);
}

extern "C" __global__ void __launch_bounds__(256)
    moe_add_layer_norm_narrow(const float* a, const float* b, float* x, const float* gain,
                              const float* bias, float* y, moe::bf16* rounded, float* mean,
                              float* inverse, int rows, int width, float epsilon) {
  moe::prefetchRow(gain, width);
  moe::prefetchRow(bias, width);
  moe::awaitPredecessor();
  moe::releaseSuccessor();
  int64_t row = static_cast<int64_t>(blockIdx.x) * 8 + (threadIdx.x >> 5);
  if (row >= rows) return;
  moe::WarpRow<moe::NARROW> own, other;
  own.load(a + row * width, width);
  other.load(b + row * width, width);
#pragma unroll
  for (int i = 0; i < moe::NARROW; ++i) {
    float4 &to = own.fours[i], more = other.fours[i];
    to = make_float4(to.x + more.x, to.y + more.y, to.z + more.z, to.w + more.w);
  }
  own.store(x + row * width, width);
  moe::narrowNorm(own, row, gain, bias, y, rounded, mean, inverse, width, epsilon);
}

extern "C" __global__ void __launch_bounds__(256)
    moe_layer_norm(const float* x, const float* gain, const float* bias, float* y, float* mean,
                   float* inverse, int width, float epsilon) {
  moe::prefetchRow(gain, width);
  moe::prefetchRow(bias, width);
  moe::awaitPredecessor();
  moe::releaseSuccessor();
  const float* row = x + static_cast<int64_t>(blockIdx.x) * width;
  float sum = 0.0f;
  for (int i = threadIdx.x; i < width; i += 256) sum += row[i];
  moe::layerNorm(row, gain, bias, y, mean, inverse, sum, width, epsilon);
}

extern "C" __global__ void __launch_bounds__(256)
    moe_add_layer_norm(const float* a, const float* b, float* x, const float* gain,
                       const float* bias, float* y, float* mean, float* inverse, int width,
                       float epsilon) {
  moe::prefetchRow(gain, width);
  moe::prefetchRow(bias, width);
  moe::awaitPredecessor();
  moe::releaseSuccessor();
  int64_t at = static_cast<int64_t>(blockIdx.x) * width;
  float sum = 0.0f;
  for (int i = threadIdx.x; i < width; i += 256) {
    float value = a[at + i] + b[at + i];
    x[at + i] = value;
    sum += value;
  }
  moe::layerNorm(x + at, gain, bias, y, mean, inverse, sum, width, epsilon);
}
