// moe_experts_any: the grouped product of experts_up.cu and experts_down.cu for any sizes and for
// float32, on any GPU: fused multiply-adds in float32, all edges masked. The way for shapes that
// tensor maps refuse (rows not a multiple of 16 bytes), and the true float32 path.
//
// rows         T [tokens or slots, in]
// assignments  I32 [slots]: row -> token · topK + k, gathers rows; null: rows are sorted already
// weight       T [experts, outWidth, in]
// gate         T [experts, outWidth, in] or null; then out = act(gate · x + gateBias) ∘ (weight · x + bias)
// out          T [slots, outWidth]
//
// Launch: block = 256, grid = (ceil(outWidth / 64), ceil(slots / 64) + experts), shared = 0.
//   Parameters: AnyExperts by value.
#include "numeric.cuh"
#include "sm90.cuh"

namespace moe {

struct AnyExperts {
  const void* rows;
  const int* assignments;
  const int* offsets;
  const void* weight;
  const void* gate;
  const float* bias;
  const float* gateBias;
  void* out;
  int experts;
  int topK;
  int in;
  int outWidth;
  int activation;
};

constexpr int ANY_TILE = 64;
constexpr int ANY_K = 16;

/// A tile of 64 rows by 64 outputs, 4 x 4 a thread.
template <class T>
__device__ __forceinline__ void expertsAny(const AnyExperts& args) {
  __shared__ float left[ANY_K][ANY_TILE + 4];
  __shared__ float right[2][ANY_K][ANY_TILE + 4];
  __shared__ const T* sources[ANY_TILE];
  awaitPredecessor();
  releaseSuccessor();

  int expert = 0, tile = blockIdx.y;
  for (; expert < args.experts; ++expert) {
    int tiles = (args.offsets[expert + 1] - args.offsets[expert] + ANY_TILE - 1) / ANY_TILE;
    if (tile < tiles) break;
    tile -= tiles;
  }
  if (expert == args.experts) return;
  int firstRow = args.offsets[expert] + tile * ANY_TILE;
  int count = min(ANY_TILE, args.offsets[expert + 1] - firstRow);
  int firstColumn = blockIdx.x * ANY_TILE;

  int thread = threadIdx.x;
  if (thread < ANY_TILE) {
    int row = firstRow + min(thread, count - 1);
    if (args.assignments) row = args.assignments[row] / args.topK;
    sources[thread] = static_cast<const T*>(args.rows) + static_cast<int64_t>(row) * args.in;
  }
  __syncthreads();
  int64_t base = static_cast<int64_t>(expert) * args.outWidth;
  const T* weights[2] = {static_cast<const T*>(args.weight) + base * args.in,
                         args.gate ? static_cast<const T*>(args.gate) + base * args.in : nullptr};
  int matrices = args.gate ? 2 : 1;
  float sums[2][4][4] = {};
  int x = thread & 15, y = thread >> 4;
  for (int k = 0; k < args.in; k += ANY_K) {
    for (int i = thread; i < ANY_TILE * ANY_K; i += 256) {
      int column = k + (i & 15), line = i >> 4;
      bool inside = column < args.in;
      left[i & 15][line] = inside ? toFloat(sources[line][column]) : 0.0f;
      int output = firstColumn + line;
      for (int m = 0; m < matrices; ++m) {
        right[m][i & 15][line] =
            inside && output < args.outWidth
                ? toFloat(weights[m][static_cast<int64_t>(output) * args.in + column])
                : 0.0f;
      }
    }
    __syncthreads();
#pragma unroll
    for (int kk = 0; kk < ANY_K; ++kk) {
      float a[4];
#pragma unroll
      for (int i = 0; i < 4; ++i) a[i] = left[kk][y * 4 + i];
#pragma unroll
      for (int m = 0; m < 2; ++m) {
        if (m < matrices) {
#pragma unroll
          for (int j = 0; j < 4; ++j) {
            float b = right[m][kk][x * 4 + j];
#pragma unroll
            for (int i = 0; i < 4; ++i) sums[m][i][j] = fmaf(a[i], b, sums[m][i][j]);
          }
        }
      }
    }
    __syncthreads();
  }
  for (int i = 0; i < 4; ++i) {
    int row = y * 4 + i;
    if (row >= count) break;
    for (int j = 0; j < 4; ++j) {
      int output = firstColumn + x * 4 + j;
      if (output >= args.outWidth) break;
      float value = sums[0][i][j] + (args.bias ? args.bias[base + output] : 0.0f);
      if (args.gate) {
        float gate = sums[1][i][j] + (args.gateBias ? args.gateBias[base + output] : 0.0f);
        value *= activateExact(args.activation, gate);
      } else {
        value = activateExact(args.activation, value);
      }
      static_cast<T*>(args.out)[static_cast<int64_t>(firstRow + row) * args.outWidth + output] =
          fromFloat<T>(value);
    }
  }
}

}  // namespace moe

extern "C" __global__ void __launch_bounds__(256)
    moe_experts_any_f32(const __grid_constant__ moe::AnyExperts args) {
  moe::expertsAny<float>(args);
}

extern "C" __global__ void __launch_bounds__(256)
    moe_experts_any_bf16(const __grid_constant__ moe::AnyExperts args) {
  moe::expertsAny<moe::bf16>(args);
}
