// moe_linear_back_weight: dW_g += Σ_r dY[r] · x[r]ᵀ and moe_linear_back_bias: db_g += Σ_r dY[r] over
// the rows of each group, in the order of the rows: the same bits every time.
//
// dY           F32 [rows, out]
// x            F32 [*, in]; row r is x[assignments[r] / topK], or x[r] without assignments
// assignments  I32 [rows] or null
// offsets      I32 [groups + 1]: the rows of each group; null: one group of `rows`
// dWeight      F32 [groups, out, in], added to
// dBias        F32 [groups, out], added to
//
// moe_linear_back_weight_ARITHMETIC_TILE. Launch: block = 256, shared = 0,
//   grid = (ceil(in / TILE), ceil(out / TILE), groups).
// moe_linear_back_weight_parts: parts[p] = Σ dY[r] · x[r]ᵀ over the p-th `chunk` of rows, for few outputs
//   of many rows, which are too few tiles for a device. Launch: block = 128, shared = 0,
//   grid = (ceil(in / 128), ceil(out / 8), ceil(rows / chunk)).
// moe_sum_parts: y = Σ_p parts[p], or added to y, in the order of p; parts F32 [count, n].
//   Launch: block = 256, grid = min(ceil(n / 1024), 65535), shared = 0.
// moe_linear_back_bias. Launch: block = (32, 32), grid = (ceil(out / 32), groups), shared = 0.
#include "dependent.cuh"
#include "gemm.cuh"

namespace moe {

template <int TILE, class Arithmetic>
__device__ __forceinline__ void linearBackWeight(
    const float* dY, const float* x, const int* assignments, const int* offsets, float* dWeight,
    int rows, int topK, int in, int out, int vector) {
  int group = blockIdx.z;
  int begin = offsets ? offsets[group] : 0;
  int end = offsets ? offsets[group + 1] : rows;
  if (begin >= end) return;
  int firstOutput = blockIdx.y * TILE, firstColumn = blockIdx.x * TILE;
  auto leftStep = [&](int k) -> const float* { return dY + static_cast<int64_t>(begin + k) * out; };
  auto rightStep = [&](int k) -> const float* {
    int row = begin + k;
    if (assignments) row = assignments[row] / topK;
    return x + static_cast<int64_t>(row) * in;
  };
  auto left = stepSource<TILE, float>(leftStep, firstOutput, out, vector & 1);
  auto right = stepSource<TILE, float>(rightStep, firstColumn, in, vector & 2);
  float* matrix = dWeight + static_cast<int64_t>(group) * out * in;
  gemm<TILE, Arithmetic>(left, right, end - begin, [&](int i, int j, float value) {
    int output = firstOutput + i, column = firstColumn + j;
    if (output < out && column < in) matrix[static_cast<int64_t>(output) * in + column] += value;
  });
}

}  // namespace moe

#define MOE_LINEAR_BACK_WEIGHT(NAME, TILE, ARITHMETIC)                                          \
  extern "C" __global__ void __launch_bounds__(256) NAME(                                       \
      const float* dY, const float* x, const int* assignments, const int* offsets,              \
      float* dWeight, int rows, int topK, int in, int out, int vector) {                        \
    moe::linearBackWeight<TILE, moe::ARITHMETIC<TILE>>(dY, x, assignments, offsets, dWeight,    \
                                                       rows, topK, in, out, vector);            \
  }

MOE_LINEAR_BACK_WEIGHT(moe_linear_back_weight_f32_64, 64, FmaTile)
MOE_LINEAR_BACK_WEIGHT(moe_linear_back_weight_f32_128, 128, FmaTile)
MOE_LINEAR_BACK_WEIGHT(moe_linear_back_weight_tf32_64, 64, Tf32Tile)
MOE_LINEAR_BACK_WEIGHT(moe_linear_back_weight_tf32_128, 128, Tf32Tile)

extern "C" __global__ void __launch_bounds__(128)
    moe_linear_back_weight_parts(const float* dY, const float* x, float* parts, int rows, int chunk,
                                 int in, int out) {
  constexpr int OUTPUTS = 8;
  moe::awaitPredecessor();
  moe::releaseSuccessor();
  int column = blockIdx.x * 128 + threadIdx.x, firstOutput = blockIdx.y * OUTPUTS;
  if (column >= in) return;
  int first = blockIdx.z * chunk, last = min(first + chunk, rows);
  float sums[OUTPUTS] = {};
  for (int row = first; row < last; ++row) {
    float value = x[static_cast<int64_t>(row) * in + column];
    const float* d = dY + static_cast<int64_t>(row) * out + firstOutput;
#pragma unroll
    for (int i = 0; i < OUTPUTS; ++i) {
      if (firstOutput + i < out) sums[i] = fmaf(d[i], value, sums[i]);
    }
  }
  float* to = parts + (static_cast<int64_t>(blockIdx.z) * out + firstOutput) * in + column;
#pragma unroll
  for (int i = 0; i < OUTPUTS; ++i) {
    if (firstOutput + i < out) to[static_cast<int64_t>(i) * in] = sums[i];
  }
}

extern "C" __global__ void __launch_bounds__(256)
    moe_sum_parts(const float* parts, float* y, int64_t n, int count, int accumulate) {
  moe::awaitPredecessor();
  moe::releaseSuccessor();
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * 256 + threadIdx.x; i < n;
       i += static_cast<int64_t>(gridDim.x) * 256) {
    float sum = accumulate ? y[i] : 0.0f;
    for (int part = 0; part < count; ++part) sum += parts[part * n + i];
    y[i] = sum;
  }
}

extern "C" __global__ void __launch_bounds__(1024)
    moe_linear_back_bias(const float* dY, const int* offsets, float* dBias, int rows, int out) {
  __shared__ float parts[32][33];
  moe::awaitPredecessor();
  moe::releaseSuccessor();
  int group = blockIdx.y;
  int begin = offsets ? offsets[group] : 0;
  int end = offsets ? offsets[group + 1] : rows;
  int output = blockIdx.x * 32 + threadIdx.x;
  float sum = 0.0f;
  if (output < out) {
    for (int row = begin + threadIdx.y; row < end; row += 32) {
      sum += dY[static_cast<int64_t>(row) * out + output];
    }
  }
  parts[threadIdx.y][threadIdx.x] = sum;
  __syncthreads();
  if (threadIdx.y != 0 || output >= out || begin >= end) return;
  float total = 0.0f;
  for (int y = 0; y < 32; ++y) total += parts[y][threadIdx.x];
  dBias[static_cast<int64_t>(group) * out + output] += total;
}
