// moe_attention: causal self-attention with a running softmax, no matrix of scores in memory: new
// queries at positions `position`… attend to all keys up to their own. Keys and values lie beside
// the queries, or in a cache that moe_attention_append fills.
//
// q            F32, row (b, t) at q + b·qBatch + t·qRow, head h at + h·headSize
// k, v         F32, row (b, h, t) at k + b·kBatch + h·kHead + t·kRow
// out          F32 [batch, queries, heads·headSize]
// logSumExp    F32 [batch, heads, queries] or null
// positionAt   I32 [1] or null: the position, where the host does not know it
//
// A warp takes 4 queries; the block's warps share tiles of 32 keys and values. In scores a lane is a
// key, in sums it is a column of the head.
// moe_attention_hN: headSize <= N. Launch: block = 32 · WARPS(N), WARPS = 8, 8, 4 for N = 32, 64, 128,
//   grid = (ceil(queries / (4 · WARPS)), heads, batch), shared = 0.
// moe_attention_step_hN: one new query of each sequence: appends its key and value to the cache, then
//   attends. A thread takes a key, then a column. headSize <= N. Launch: block = 256, grid = (heads,
//   batch), shared = 0.
// moe_attention_append: block = 256, grid = (new positions, batch), shared = 0.
#include "dependent.cuh"
#include "numeric.cuh"
#include "prefetch.cuh"
#include "reduce.cuh"

namespace moe {

constexpr int KEYS = 32;
constexpr int QUERIES = 4;  // of a warp

template <int HEAD, int WARPS>
__device__ __forceinline__ void attention(
    const float* q, const float* k, const float* v, float* out, float* logSumExp, int64_t qBatch,
    int qRow, int64_t kBatch, int64_t kHead, int kRow, int queries, int position, int headSize) {
  constexpr int ROWS = WARPS * QUERIES;
  constexpr int COLUMNS = HEAD / 32;
  __shared__ float queryTile[ROWS][HEAD];
  __shared__ float keyTile[KEYS][HEAD + 1];
  __shared__ float valueTile[KEYS][HEAD];
  int head = blockIdx.y, heads = gridDim.y, batch = blockIdx.z;
  int warp = threadIdx.x >> 5, lane = threadIdx.x & 31;
  int firstQuery = blockIdx.x * ROWS;
  float scale = 1.0f / sqrtf(static_cast<float>(headSize));
  const float* queryRows = q + batch * qBatch + static_cast<int64_t>(head) * headSize;
  const float* keyRows = k + batch * kBatch + head * kHead;
  const float* valueRows = v + batch * kBatch + head * kHead;
  for (int i = threadIdx.x; i < ROWS * HEAD; i += WARPS * 32) {
    int row = firstQuery + i / HEAD, column = i % HEAD;
    bool inside = row < queries && column < headSize;
    queryTile[i / HEAD][column] =
        inside ? queryRows[static_cast<int64_t>(row) * qRow + column] * scale : 0.0f;
  }
  float sums[QUERIES][COLUMNS] = {};
  float max[QUERIES], total[QUERIES];
#pragma unroll
  for (int i = 0; i < QUERIES; ++i) {
    max[i] = -INFINITY;
    total[i] = 0.0f;
  }
  int keys = min(position + queries, position + firstQuery + ROWS);
  for (int firstKey = 0; firstKey < keys; firstKey += KEYS) {
    __syncthreads();
    for (int i = threadIdx.x; i < KEYS * HEAD; i += WARPS * 32) {
      int row = firstKey + i / HEAD, column = i % HEAD;
      bool inside = row < keys && column < headSize;
      int64_t at = static_cast<int64_t>(row) * kRow + column;
      keyTile[i / HEAD][column] = inside ? keyRows[at] : 0.0f;
      valueTile[i / HEAD][column] = inside ? valueRows[at] : 0.0f;
    }
    __syncthreads();
    float scores[QUERIES] = {};
#pragma unroll 8
    for (int column = 0; column < HEAD; ++column) {
      float key = keyTile[lane][column];
#pragma unroll
      for (int i = 0; i < QUERIES; ++i) {
        scores[i] = fmaf(queryTile[warp * QUERIES + i][column], key, scores[i]);
      }
    }
    float weights[QUERIES];
#pragma unroll
    for (int i = 0; i < QUERIES; ++i) {
      int query = firstQuery + warp * QUERIES + i;
      bool visible = firstKey + lane <= position + query && query < queries;
      float score = visible ? scores[i] : -INFINITY;
      float larger = fmaxf(max[i], warpMax(score));
      // NaN loses against numbers in a maximum, so it must reach the weight by itself.
      weights[i] = visible ? expf(score - larger) : 0.0f;
      float shrink = larger == -INFINITY ? 1.0f : expf(max[i] - larger);
      total[i] = total[i] * shrink + warpSum(weights[i]);
      max[i] = larger;
#pragma unroll
      for (int c = 0; c < COLUMNS; ++c) sums[i][c] *= shrink;
    }
#pragma unroll 4
    for (int key = 0; key < KEYS; ++key) {
      float values[COLUMNS];
#pragma unroll
      for (int c = 0; c < COLUMNS; ++c) values[c] = valueTile[key][c * 32 + lane];
#pragma unroll
      for (int i = 0; i < QUERIES; ++i) {
        float weight = __shfl_sync(~0u, weights[i], key);
        // Not even times 0: a value that this query does not see may be NaN.
        if (firstKey + key > position + firstQuery + warp * QUERIES + i) continue;
#pragma unroll
        for (int c = 0; c < COLUMNS; ++c) sums[i][c] = fmaf(weight, values[c], sums[i][c]);
      }
    }
  }
#pragma unroll
  for (int i = 0; i < QUERIES; ++i) {
    int query = firstQuery + warp * QUERIES + i;
    if (query >= queries) continue;
    float* to = out + ((static_cast<int64_t>(batch) * queries + query) * heads + head) * headSize;
#pragma unroll
    for (int c = 0; c < COLUMNS; ++c) {
      if (c * 32 + lane < headSize) to[c * 32 + lane] = sums[i][c] / total[i];
    }
    if (logSumExp && lane == 0) {
      logSumExp[(static_cast<int64_t>(batch) * heads + head) * queries + query] =
          max[i] + logf(total[i]);
    }
  }
}

}  // namespace moe

#define MOE_ATTENTION(NAME, HEAD, WARPS)                                                        \
  extern "C" __global__ void __launch_bounds__(WARPS * 32) NAME(                                \
      const float* q, const float* k, const float* v, float* out, float* logSumExp,             \
      int64_t qBatch, int qRow, int64_t kBatch, int64_t kHead, int kRow, int queries,           \
      int position, const int* positionAt, int headSize) {                                      \
    moe::attention<HEAD, WARPS>(q, k, v, out, logSumExp, qBatch, qRow, kBatch, kHead, kRow,     \
                                queries, positionAt ? *positionAt : position, headSize);        \
  }

MOE_ATTENTION(moe_attention_h32, 32, 8)
MOE_ATTENTION(moe_attention_h64, 64, 8)
MOE_ATTENTION(moe_attention_h128, 128, 4)

extern "C" __global__ void __launch_bounds__(256)
    moe_attention_append(const float* qkv, float* keys, float* values, int position,
                         const int* positionAt, int maxLength, int heads, int headSize) {
  int t = blockIdx.x, newPositions = gridDim.x, batch = blockIdx.y;
  if (positionAt) position = *positionAt;
  if (position < 0 || position + t >= maxLength) return;
  int dModel = heads * headSize;
  const float* row = qkv + (static_cast<int64_t>(batch) * newPositions + t) * 3 * dModel + dModel;
  for (int i = threadIdx.x; i < dModel; i += 256) {
    int64_t head = static_cast<int64_t>(batch) * heads + i / headSize;
    int64_t at = (head * maxLength + position + t) * headSize + i % headSize;
    keys[at] = row[i];
    values[at] = row[dModel + i];
  }
}

namespace moe {

constexpr int STEP_BLOCK = 256;
constexpr int STEP_VALUES = 24;  // of a column, read ahead by a thread

template <int HEAD>
__device__ __forceinline__ void attentionStep(
    const float* qkv, float* keys, float* values, float* out, int position, const int* positionAt,
    int maxLength, int headSize) {
  constexpr int PARTS = STEP_BLOCK / HEAD;  // threads that share a column
  __shared__ float query[HEAD];
  __shared__ float weights[STEP_BLOCK];
  __shared__ float maxima[STEP_BLOCK / 32];
  int heads = gridDim.x, head = blockIdx.x, batch = blockIdx.y;
  int dModel = heads * headSize;
  const float* row = qkv + static_cast<int64_t>(batch) * 3 * dModel + head * headSize;
  int64_t cache = (static_cast<int64_t>(batch) * heads + head) * maxLength * headSize;
  float* keyRows = keys + cache;
  float* valueRows = values + cache;
  // The position may not be the last yet, and must not stay in the L1: it says what to fetch.
  int earlier = positionAt ? *const_cast<const volatile int*>(positionAt) : position;
  prefetchRow(keyRows, min(earlier, maxLength) * headSize);
  prefetchRow(valueRows, min(earlier, maxLength) * headSize);
  awaitPredecessor();
  releaseSuccessor();
  if (positionAt) position = *positionAt;
  if (position < 0 || position >= maxLength) return;
  float scale = 1.0f / sqrtf(static_cast<float>(headSize));
  for (int i = threadIdx.x; i < headSize; i += STEP_BLOCK) {
    query[i] = row[i] * scale;
    keyRows[static_cast<int64_t>(position) * headSize + i] = row[dModel + i];
    valueRows[static_cast<int64_t>(position) * headSize + i] = row[2 * dModel + i];
  }
  __syncthreads();
  int column = threadIdx.x % HEAD, part = threadIdx.x / HEAD;
  bool fours = headSize % 4 == 0 && reinterpret_cast<uintptr_t>(keyRows) % 16 == 0;
  float max = -INFINITY, total = 0.0f, sum = 0.0f;
  for (int first = 0; first <= position; first += STEP_BLOCK) {
    int count = min(STEP_BLOCK, position + 1 - first);
    float early[STEP_VALUES];  // under way beside the keys
#pragma unroll
    for (int i = 0; i < STEP_VALUES; ++i) {
      int at = part + i * PARTS;
      bool there = at < count && column < headSize;
      early[i] = there ? valueRows[static_cast<int64_t>(first + at) * headSize + column] : 0.0f;
    }
    int key = first + threadIdx.x;
    bool visible = key <= position;
    float score = 0.0f;
    if (visible) {
      const float* from = keyRows + static_cast<int64_t>(key) * headSize;
      if (fours) {
#pragma unroll 16
        for (int i = 0; i < headSize; i += 4) {
          float4 four = *reinterpret_cast<const float4*>(from + i);
          score = fmaf(query[i], four.x, score);
          score = fmaf(query[i + 1], four.y, score);
          score = fmaf(query[i + 2], four.z, score);
          score = fmaf(query[i + 3], four.w, score);
        }
      } else {
        for (int i = 0; i < headSize; ++i) score = fmaf(query[i], from[i], score);
      }
    }
    float largest = warpMax(visible ? score : -INFINITY);
    __syncthreads();  // the weights and maxima of the keys before are read
    if ((threadIdx.x & 31) == 0) maxima[threadIdx.x >> 5] = largest;
    __syncthreads();
    float larger = max;
    for (int i = 0; i < STEP_BLOCK / 32; ++i) larger = fmaxf(larger, maxima[i]);
    // NaN loses against numbers in a maximum, so it must reach the weight by itself.
    float weight = visible ? expf(score - larger) : 0.0f;
    weights[threadIdx.x] = weight;
    float shrink = larger == -INFINITY ? 1.0f : expf(max - larger);
    total = total * shrink + blockSum(weight);
    max = larger;
    sum *= shrink;
#pragma unroll
    for (int i = 0; i < STEP_VALUES; ++i) {
      int at = part + i * PARTS;
      if (at < count) sum = fmaf(weights[at], early[i], sum);
    }
    if (column < headSize) {
#pragma unroll 8
      for (int i = part + STEP_VALUES * PARTS; i < count; i += PARTS) {
        sum = fmaf(weights[i], valueRows[static_cast<int64_t>(first + i) * headSize + column], sum);
      }
    }
  }
  __syncthreads();
  weights[threadIdx.x] = sum;
  __syncthreads();
  if (part != 0 || column >= headSize) return;
  for (int i = 1; i < PARTS; ++i) sum += weights[i * HEAD + column];
  out[static_cast<int64_t>(batch) * dModel + head * headSize + column] = sum / total;
}

}  // namespace moe

#define MOE_ATTENTION_STEP(NAME, HEAD)                                                       \
  extern "C" __global__ void __launch_bounds__(256) NAME(                                    \
      const float* qkv, float* keys, float* values, float* out, int position,                \
      const int* positionAt, int maxLength, int headSize) {                                  \
    moe::attentionStep<HEAD>(qkv, keys, values, out, position, positionAt, maxLength,        \
                             headSize);                                                      \
  }

MOE_ATTENTION_STEP(moe_attention_step_h32, 32)
MOE_ATTENTION_STEP(moe_attention_step_h64, 64)
MOE_ATTENTION_STEP(moe_attention_step_h128, 128)
