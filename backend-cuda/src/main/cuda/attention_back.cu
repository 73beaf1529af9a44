// moe_attention_back: the gradient of moe_attention without a cache. Scores are computed again from
// logSumExp. Two kernels, so that every sum is taken by one warp in a fixed order: queries gather
// from their keys, keys and values from their queries.
//
// qkv, dQkv   F32 [batch, length, 3, heads, headSize]
// out, dOut   F32 [batch, length, heads, headSize]
// logSumExp   F32 [batch, heads, length]
//
// moe_attention_back_queries_hN, moe_attention_back_keys_hN: headSize <= N. Launch: block = 32 ·
//   WARPS(N), WARPS = 8, 8, 4 for N = 32, 64, 128, grid = (ceil(length / (2 · WARPS)), heads, batch),
//   shared = 0. A warp takes 2 rows.
#include "numeric.cuh"
#include "reduce.cuh"

namespace moe {

constexpr int OTHERS = 32;  // rows of the other side in a tile
constexpr int OWN = 2;      // rows of a warp

/// Fills a tile from rows of qkv, zeros beyond the edges.
template <int HEAD, int ROWS, int PAD>
__device__ __forceinline__ void fill(float (&tile)[ROWS][HEAD + PAD], const float* from, int first,
                                     int length, int stride, int headSize) {
  for (int i = threadIdx.x; i < ROWS * HEAD; i += blockDim.x) {
    int row = first + i / HEAD, column = i % HEAD;
    bool inside = row < length && column < headSize;
    tile[i / HEAD][column] = inside ? from[static_cast<int64_t>(row) * stride + column] : 0.0f;
  }
}

template <int HEAD>
__device__ __forceinline__ float dot(const float* a, const float* b, int headSize) {
  float sum = 0.0f;
  for (int i = threadIdx.x & 31; i < headSize; i += 32) sum = fmaf(a[i], b[i], sum);
  return warpSum(sum);
}

template <int HEAD, int WARPS>
__device__ __forceinline__ void attentionBackQueries(
    const float* dOut, const float* qkv, const float* out, const float* logSumExp, float* dQkv,
    int length, int headSize) {
  constexpr int ROWS = WARPS * OWN;
  constexpr int COLUMNS = HEAD / 32;
  __shared__ float queries[ROWS][HEAD];
  __shared__ float dOuts[ROWS][HEAD];
  __shared__ float keys[OTHERS][HEAD + 1];
  __shared__ float values[OTHERS][HEAD + 1];
  int head = blockIdx.y, heads = gridDim.y, batch = blockIdx.z;
  int warp = threadIdx.x >> 5, lane = threadIdx.x & 31;
  int first = blockIdx.x * ROWS;
  int dModel = heads * headSize;
  float scale = 1.0f / sqrtf(static_cast<float>(headSize));
  const float* q = qkv + static_cast<int64_t>(batch) * length * 3 * dModel + head * headSize;
  const float* d = dOut + static_cast<int64_t>(batch) * length * dModel + head * headSize;
  const float* o = out + static_cast<int64_t>(batch) * length * dModel + head * headSize;
  const float* lse = logSumExp + (static_cast<int64_t>(batch) * heads + head) * length;
  fill<HEAD, ROWS, 0>(queries, q, first, length, 3 * dModel, headSize);
  fill<HEAD, ROWS, 0>(dOuts, d, first, length, dModel, headSize);
  float sums[OWN][COLUMNS] = {};
  float mean[OWN], logSum[OWN];
#pragma unroll
  for (int i = 0; i < OWN; ++i) {
    int query = min(first + warp * OWN + i, length - 1);
    int64_t at = static_cast<int64_t>(query) * dModel;
    mean[i] = dot<HEAD>(d + at, o + at, headSize);
    logSum[i] = lse[query];
  }
  int last = min(length, first + ROWS);
  for (int firstKey = 0; firstKey < last; firstKey += OTHERS) {
    __syncthreads();
    fill<HEAD, OTHERS, 1>(keys, q + dModel, firstKey, length, 3 * dModel, headSize);
    fill<HEAD, OTHERS, 1>(values, q + 2 * dModel, firstKey, length, 3 * dModel, headSize);
    __syncthreads();
    float scores[OWN] = {}, products[OWN] = {};
#pragma unroll 8
    for (int column = 0; column < HEAD; ++column) {
      float key = keys[lane][column], value = values[lane][column];
#pragma unroll
      for (int i = 0; i < OWN; ++i) {
        scores[i] = fmaf(queries[warp * OWN + i][column], key, scores[i]);
        products[i] = fmaf(dOuts[warp * OWN + i][column], value, products[i]);
      }
    }
    float slopes[OWN];
#pragma unroll
    for (int i = 0; i < OWN; ++i) {
      int query = first + warp * OWN + i;
      bool visible = firstKey + lane <= query && query < length;
      slopes[i] = visible ? expf(scores[i] * scale - logSum[i]) * (products[i] - mean[i]) : 0.0f;
    }
#pragma unroll 4
    for (int key = 0; key < OTHERS; ++key) {
      float row[COLUMNS];
#pragma unroll
      for (int c = 0; c < COLUMNS; ++c) row[c] = keys[key][c * 32 + lane];
#pragma unroll
      for (int i = 0; i < OWN; ++i) {
        float slope = __shfl_sync(~0u, slopes[i], key);
#pragma unroll
        for (int c = 0; c < COLUMNS; ++c) sums[i][c] = fmaf(slope, row[c], sums[i][c]);
      }
    }
  }
#pragma unroll
  for (int i = 0; i < OWN; ++i) {
    int query = first + warp * OWN + i;
    if (query >= length) continue;
    float* to = dQkv + (static_cast<int64_t>(batch) * length + query) * 3 * dModel + head * headSize;
#pragma unroll
    for (int c = 0; c < COLUMNS; ++c) {
      if (c * 32 + lane < headSize) to[c * 32 + lane] = sums[i][c] * scale;
    }
  }
}

template <int HEAD, int WARPS>
__device__ __forceinline__ void attentionBackKeys(
    const float* dOut, const float* qkv, const float* out, const float* logSumExp, float* dQkv,
    int length, int headSize) {
  constexpr int ROWS = WARPS * OWN;
  constexpr int COLUMNS = HEAD / 32;
  __shared__ float keys[ROWS][HEAD];
  __shared__ float values[ROWS][HEAD];
  __shared__ float queries[OTHERS][HEAD + 1];
  __shared__ float dOuts[OTHERS][HEAD + 1];
  __shared__ float means[OTHERS];
  int head = blockIdx.y, heads = gridDim.y, batch = blockIdx.z;
  int warp = threadIdx.x >> 5, lane = threadIdx.x & 31;
  int first = blockIdx.x * ROWS;
  int dModel = heads * headSize;
  float scale = 1.0f / sqrtf(static_cast<float>(headSize));
  const float* q = qkv + static_cast<int64_t>(batch) * length * 3 * dModel + head * headSize;
  const float* d = dOut + static_cast<int64_t>(batch) * length * dModel + head * headSize;
  const float* o = out + static_cast<int64_t>(batch) * length * dModel + head * headSize;
  const float* lse = logSumExp + (static_cast<int64_t>(batch) * heads + head) * length;
  fill<HEAD, ROWS, 0>(keys, q + dModel, first, length, 3 * dModel, headSize);
  fill<HEAD, ROWS, 0>(values, q + 2 * dModel, first, length, 3 * dModel, headSize);
  float dKeys[OWN][COLUMNS] = {}, dValues[OWN][COLUMNS] = {};
  for (int firstQuery = first / OTHERS * OTHERS; firstQuery < length; firstQuery += OTHERS) {
    __syncthreads();
    fill<HEAD, OTHERS, 1>(queries, q, firstQuery, length, 3 * dModel, headSize);
    fill<HEAD, OTHERS, 1>(dOuts, d, firstQuery, length, dModel, headSize);
    for (int i = warp; i < OTHERS; i += WARPS) {
      int64_t at = static_cast<int64_t>(min(firstQuery + i, length - 1)) * dModel;
      float mean = dot<HEAD>(d + at, o + at, headSize);
      if (lane == 0) means[i] = mean;
    }
    __syncthreads();
    float scores[OWN] = {}, products[OWN] = {};
#pragma unroll 8
    for (int column = 0; column < HEAD; ++column) {
      float query = queries[lane][column], dRow = dOuts[lane][column];
#pragma unroll
      for (int i = 0; i < OWN; ++i) {
        scores[i] = fmaf(query, keys[warp * OWN + i][column], scores[i]);
        products[i] = fmaf(dRow, values[warp * OWN + i][column], products[i]);
      }
    }
    float logSum = lse[min(firstQuery + lane, length - 1)];
    float weights[OWN], slopes[OWN];
#pragma unroll
    for (int i = 0; i < OWN; ++i) {
      int key = first + warp * OWN + i;
      bool visible = key <= firstQuery + lane && firstQuery + lane < length;
      weights[i] = visible ? expf(scores[i] * scale - logSum) : 0.0f;
      slopes[i] = visible ? weights[i] * (products[i] - means[lane]) : 0.0f;
    }
#pragma unroll 4
    for (int query = 0; query < OTHERS; ++query) {
      float queryRow[COLUMNS], dRow[COLUMNS];
#pragma unroll
      for (int c = 0; c < COLUMNS; ++c) {
        queryRow[c] = queries[query][c * 32 + lane];
        dRow[c] = dOuts[query][c * 32 + lane];
      }
#pragma unroll
      for (int i = 0; i < OWN; ++i) {
        float weight = __shfl_sync(~0u, weights[i], query);
        float slope = __shfl_sync(~0u, slopes[i], query);
#pragma unroll
        for (int c = 0; c < COLUMNS; ++c) {
          dKeys[i][c] = fmaf(slope, queryRow[c], dKeys[i][c]);
          dValues[i][c] = fmaf(weight, dRow[c], dValues[i][c]);
        }
      }
    }
  }
#pragma unroll
  for (int i = 0; i < OWN; ++i) {
    int key = first + warp * OWN + i;
    if (key >= length) continue;
    float* to = dQkv + (static_cast<int64_t>(batch) * length + key) * 3 * dModel + dModel +
                head * headSize;
#pragma unroll
    for (int c = 0; c < COLUMNS; ++c) {
      if (c * 32 + lane < headSize) {
        to[c * 32 + lane] = dKeys[i][c] * scale;
        to[dModel + c * 32 + lane] = dValues[i][c];
      }
    }
  }
}

}  // namespace moe

#define MOE_ATTENTION_BACK(NAME, FUNCTION, HEAD, WARPS)                                          \
  extern "C" __global__ void __launch_bounds__(WARPS * 32)                                       \
      NAME(const float* dOut, const float* qkv, const float* out, const float* logSumExp,        \
           float* dQkv, int length, int headSize) {                                              \
    moe::FUNCTION<HEAD, WARPS>(dOut, qkv, out, logSumExp, dQkv, length, headSize);               \
  }

MOE_ATTENTION_BACK(moe_attention_back_queries_h32, attentionBackQueries, 32, 8)
MOE_ATTENTION_BACK(moe_attention_back_queries_h64, attentionBackQueries, 64, 8)
MOE_ATTENTION_BACK(moe_attention_back_queries_h128, attentionBackQueries, 128, 4)
MOE_ATTENTION_BACK(moe_attention_back_keys_h32, attentionBackKeys, 32, 8)
MOE_ATTENTION_BACK(moe_attention_back_keys_h64, attentionBackKeys, 64, 8)
MOE_ATTENTION_BACK(moe_attention_back_keys_h128, attentionBackKeys, 128, 4)
