// moe_layer_norm: y = (x − mean) / √(variance + ε) · gain + bias over rows, and its gradients.
//
// x, y, dY, dX            F32 [rows, width]; dX is added to
// gain, bias, dGain, dBias F32 [width]; gradients are added to
// mean, inverse           F32 [rows], inverse = 1 / √(variance + ε)
//
// moe_add_layer_norm: x = a + b first; x may be a or b.
//
// moe_layer_norm, moe_add_layer_norm, moe_layer_norm_back:  block = 256, grid = rows, shared = 0. Two passes over a row,
//   which the L1 keeps.
// moe_layer_norm_back_weights:          block = (32, 32), grid = ceil(width / 32), shared = 0.
//   32 sums of every 32nd row, added up in order.
#include "dependent.cuh"
#include "numeric.cuh"
#include "reduce.cuh"

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

}  // namespace moe

extern "C" __global__ void __launch_bounds__(256)
    moe_layer_norm(const float* x, const float* gain, const float* bias, float* y, float* mean,
                   float* inverse, int width, float epsilon) {
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

extern "C" __global__ void __launch_bounds__(256)
    moe_layer_norm_back(const float* dY, const float* x, const float* gain, const float* mean,
                        const float* inverse, float* dX, int width) {
  int64_t at = static_cast<int64_t>(blockIdx.x) * width;
  float average = mean[blockIdx.x], scale = inverse[blockIdx.x];
  float sum = 0.0f, product = 0.0f;
  for (int i = threadIdx.x; i < width; i += 256) {
    float d = dY[at + i] * gain[i];
    sum += d;
    product = fmaf(d, (x[at + i] - average) * scale, product);
  }
  sum = moe::blockSum(sum) / width;
  product = moe::blockSum(product) / width;
  for (int i = threadIdx.x; i < width; i += 256) {
    float normal = (x[at + i] - average) * scale;
    dX[at + i] += scale * (dY[at + i] * gain[i] - sum - normal * product);
  }
}

extern "C" __global__ void __launch_bounds__(1024)
    moe_layer_norm_back_weights(const float* dY, const float* x, const float* mean,
                                const float* inverse, float* dGain, float* dBias, int rows,
                                int width) {
  __shared__ float parts[2][32][33];
  int column = blockIdx.x * 32 + threadIdx.x;
  float gain = 0.0f, bias = 0.0f;
  if (column < width) {
    for (int row = threadIdx.y; row < rows; row += 32) {
      int64_t at = static_cast<int64_t>(row) * width + column;
      float d = dY[at];
      gain = fmaf(d, (x[at] - mean[row]) * inverse[row], gain);
      bias += d;
    }
  }
  parts[0][threadIdx.y][threadIdx.x] = gain;
  parts[1][threadIdx.y][threadIdx.x] = bias;
  __syncthreads();
  if (threadIdx.y > 1 || column >= width) return;
  float total = 0.0f;
  for (int y = 0; y < 32; ++y) total += parts[threadIdx.y][y][threadIdx.x];
  float* to = threadIdx.y == 0 ? dGain : dBias;
  to[column] += total;
}
