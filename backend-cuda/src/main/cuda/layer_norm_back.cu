// moe_layer_norm_back: the gradients of layer_norm.cu's y = (x − mean) / √(variance + ε) · gain + bias.
//
// x, dY, dX         F32 [rows, width]; dX is added to
// gain              F32 [width]
// dGain, dBias      F32 [width], added to
// mean, inverse     F32 [rows], inverse = 1 / √(variance + ε)
//
// Rows of at most 1024 numbers, a multiple of 4, all aligned to 16 bytes: a row a warp, in its registers.
//   moe_layer_norm_back_768, _1024 (the widest row): all gradients in one pass, those of gain and bias
//     in parts F32 [grid, 2, width]. block = 256, grid <= ceil(rows / 8), shared = 0.
//   moe_layer_norm_sum_parts: block = (32, 32), grid = (ceil(width / 32), 2), shared = 0; count = the
//     grid before.
// Others:
//   moe_layer_norm_back: block = 256, grid = rows, shared = 0. Two passes over a row, which the L1 keeps.
//   moe_layer_norm_back_weights: block = (32, 32), grid = ceil(width / 32), shared = 0. 32 sums of every
//     32nd row, added up in order.
#include "dependent.cuh"
#include "reduce.cuh"
#include "warp_row.cuh"

namespace moe {

template <int FOURS>
__device__ __forceinline__ void narrowBack(
    const float* dY, const float* x, const float* gain, const float* mean, const float* inverse,
    float* dX, float* parts, int rows, int width) {
  __shared__ float columns[8][FOURS * 128];
  awaitPredecessor();
  releaseSuccessor();
  int lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
  float dGain[FOURS * 4] = {}, dBias[FOURS * 4] = {};
  for (int64_t row = static_cast<int64_t>(blockIdx.x) * 8 + warp; row < rows;
       row += static_cast<int64_t>(gridDim.x) * 8) {
    WarpRow<FOURS> d, n;
    d.load(dY + row * width, width);
    n.load(x + row * width, width);
    float average = mean[row], scale = inverse[row], sum = 0.0f, product = 0.0f;
#pragma unroll
    for (int i = 0; i < FOURS; ++i) {
      int at = i * 128 + lane * 4;
      if (at >= width) continue;
      float4 g = *reinterpret_cast<const float4*>(gain + at);
      float* ds = &d.fours[i].x;
      float* ns = &n.fours[i].x;
      const float* gs = &g.x;
#pragma unroll
      for (int j = 0; j < 4; ++j) {
        ns[j] = (ns[j] - average) * scale;
        dGain[4 * i + j] = fmaf(ds[j], ns[j], dGain[4 * i + j]);
        dBias[4 * i + j] += ds[j];
        ds[j] *= gs[j];
        sum += ds[j];
        product = fmaf(ds[j], ns[j], product);
      }
    }
    sum = warpSum(sum) / width;
    product = warpSum(product) / width;
#pragma unroll
    for (int i = 0; i < FOURS; ++i) {
      int at = i * 128 + lane * 4;
      if (at >= width) continue;
      float4* to = reinterpret_cast<float4*>(dX + row * width + at);
      float4 old = *to, a = d.fours[i], b = n.fours[i];
      old.x += scale * (a.x - sum - b.x * product);
      old.y += scale * (a.y - sum - b.y * product);
      old.z += scale * (a.z - sum - b.z * product);
      old.w += scale * (a.w - sum - b.w * product);
      *to = old;
    }
  }
#pragma unroll
  for (int which = 0; which < 2; ++which) {
    __syncthreads();  // the sums before are read
#pragma unroll
    for (int i = 0; i < FOURS * 4; ++i) {
      columns[warp][i / 4 * 128 + lane * 4 + i % 4] = which == 0 ? dGain[i] : dBias[i];
    }
    __syncthreads();
    for (int column = threadIdx.x; column < width; column += 256) {
      float total = 0.0f;
#pragma unroll
      for (int of = 0; of < 8; ++of) total += columns[of][column];
      parts[(static_cast<int64_t>(blockIdx.x) * 2 + which) * width + column] = total;
    }
  }
}

}  // namespace moe

extern "C" __global__ void __launch_bounds__(256, 2)
    moe_layer_norm_back_768(const float* dY, const float* x, const float* gain, const float* mean,
                            const float* inverse, float* dX, float* parts, int rows, int width) {
  moe::narrowBack<6>(dY, x, gain, mean, inverse, dX, parts, rows, width);
}

extern "C" __global__ void __launch_bounds__(256)
    moe_layer_norm_back_1024(const float* dY, const float* x, const float* gain, const float* mean,
                             const float* inverse, float* dX, float* parts, int rows, int width) {
  moe::narrowBack<8>(dY, x, gain, mean, inverse, dX, parts, rows, width);
}

extern "C" __global__ void __launch_bounds__(1024)
    moe_layer_norm_sum_parts(const float* parts, float* dGain, float* dBias, int count, int width) {
  __shared__ float sums[32][33];
  moe::awaitPredecessor();
  moe::releaseSuccessor();
  int column = blockIdx.x * 32 + threadIdx.x, which = blockIdx.y;
  float sum = 0.0f;
  if (column < width) {
#pragma unroll 4
    for (int part = threadIdx.y; part < count; part += 32) {
      sum += parts[(static_cast<int64_t>(part) * 2 + which) * width + column];
    }
  }
  sums[threadIdx.y][threadIdx.x] = sum;
  __syncthreads();
  if (threadIdx.y != 0 || column >= width) return;
  float total = 0.0f;
  for (int y = 0; y < 32; ++y) total += sums[y][threadIdx.x];
  float* to = which == 0 ? dGain : dBias;
  to[column] += total;
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
