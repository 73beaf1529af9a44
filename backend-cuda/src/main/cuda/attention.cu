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
// moe_attention_append: block = 256, grid = (new positions, batch), shared = 0.
#include "numeric.cuh"
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
