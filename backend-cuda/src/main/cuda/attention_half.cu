// moe_attention_half: causal self-attention and its gradient on tensor cores, operands rounded to
// bf16, sums and softmax in float32, no matrix of scores in memory. As FlashAttention-2 (Dao, arXiv
// 2307.08691), but queries and keys have a kernel each in the gradient, so that every sum is taken by
// one warp in a fixed order.
//
// qkv, dQkv   F32 [batch, length, 3, heads, headSize]
// out, dOut   F32 [batch, length, heads, headSize]
// logSumExp   F32 [batch, heads, length] or null
//
// A warp takes 16 rows; the block's 8 share tiles of 64 rows of the other side, by rows where the
// head is summed over, by columns where the rows are.
// A NaN reaches the other rows of its tile of 64.
// moe_attention_half, …_back_queries, …_back_keys: headSize <= 64, a multiple of 4; all aligned to 16
//   bytes. Launch: block = 256, grid = (ceil(length / 128), heads, batch), shared = 0.
#include "mma.cuh"
#include "numeric.cuh"
#include "reduce.cuh"

namespace moe {

constexpr int HEAD = 64;
constexpr int ROWS = 128;       // of a block
constexpr int TILE = 64;        // rows of the other side
constexpr int PITCH = 36;       // words of a tile's row; no two lanes meet in a bank
constexpr int EIGHTS = 8;       // of a head, or of a tile
constexpr int STEPS = 4;        // of 16
constexpr float LOG2_E = 1.4426950408889634f;
constexpr float LN_2 = 0.6931471805599453f;

using HalfTile = uint32_t[TILE][PITCH];

/// Where a head's rows lie.
struct HeadRows {
  const float* from;
  int stride;
  int length;
  int headSize;

  __device__ __forceinline__ float4 four(int row, int column) const {
    bool inside = row < length && column < headSize;
    return inside ? *reinterpret_cast<const float4*>(from + static_cast<int64_t>(row) * stride + column)
                  : make_float4(0, 0, 0, 0);
  }
};

/// Fills a tile by rows, one by columns (pairs of rows to a word), or both.
template <bool BY_ROWS, bool BY_COLUMNS>
__device__ __forceinline__ void fillTile(
    const HeadRows& source, int first, HalfTile& rows, HalfTile& columns) {
  for (int item = threadIdx.x; item < TILE / 2 * HEAD / 4; item += 256) {
    int pair = (item & 7) | (item >> 2 & 24);          // two rows
    int four = (item >> 3 & 3) | (item >> 5 & 12);     // four columns
    float4 a = source.four(first + 2 * pair, 4 * four);
    float4 b = source.four(first + 2 * pair + 1, 4 * four);
    if (BY_ROWS) {
      rows[2 * pair][2 * four] = packBf16(a.x, a.y);
      rows[2 * pair][2 * four + 1] = packBf16(a.z, a.w);
      rows[2 * pair + 1][2 * four] = packBf16(b.x, b.y);
      rows[2 * pair + 1][2 * four + 1] = packBf16(b.z, b.w);
    }
    if (BY_COLUMNS) {
      columns[4 * four][pair] = packBf16(a.x, b.x);
      columns[4 * four + 1][pair] = packBf16(a.y, b.y);
      columns[4 * four + 2][pair] = packBf16(a.z, b.z);
      columns[4 * four + 3][pair] = packBf16(a.w, b.w);
    }
  }
}

/// 16 rows of a warp as left operands.
struct OwnRows {
  uint32_t words[STEPS][4];

  __device__ __forceinline__ OwnRows(const HeadRows& source, int first) {
    int row = first + ((threadIdx.x & 31) >> 2), pair = (threadIdx.x & 3) * 2;
#pragma unroll
    for (int step = 0; step < STEPS; ++step) {
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        int at = row + (i & 1) * 8, column = step * 16 + (i >> 1) * 8 + pair;
        bool inside = at < source.length && column < source.headSize;
        const float* from = source.from + static_cast<int64_t>(at) * source.stride + column;
        words[step][i] = inside ? packBf16(from[0], from[1]) : 0;
      }
    }
  }
};

/// d += the `step`th 16 columns of `a` times those of the `eight`th 8 rows of a tile.
__device__ __forceinline__ void multiplyRows(
    float (&d)[4], const uint32_t (&a)[4], const HalfTile& tile, int eight, int step) {
  int lane = threadIdx.x & 31;
  const uint32_t* row = tile[eight * 8 + (lane >> 2)] + step * 8 + (lane & 3);
  multiplyBf16(d, a[0], a[1], a[2], a[3], row[0], row[4]);
}

/// Two results of 8 columns side by side as a left operand.
__device__ __forceinline__ void asOperand(
    uint32_t (&a)[4], const float (&left)[4], const float (&right)[4]) {
  a[0] = packBf16(left[0], left[1]);
  a[1] = packBf16(left[2], left[3]);
  a[2] = packBf16(right[0], right[1]);
  a[3] = packBf16(right[2], right[3]);
}

/// The sum over the four lanes that share a row.
__device__ __forceinline__ float rowSum(float value) {
  value += __shfl_xor_sync(~0u, value, 1);
  return value + __shfl_xor_sync(~0u, value, 2);
}

__device__ __forceinline__ float rowMax(float value) {
  value = fmaxf(value, __shfl_xor_sync(~0u, value, 1));
  return fmaxf(value, __shfl_xor_sync(~0u, value, 2));
}

/// Stores a warp's 16 rows of 64 columns, times `factor`.
__device__ __forceinline__ void storeRows(
    const float (&sums)[EIGHTS][4], float* to, int first, int length, int stride, int headSize,
    float upper, float lower) {
  int row = first + ((threadIdx.x & 31) >> 2), pair = (threadIdx.x & 3) * 2;
#pragma unroll
  for (int i = 0; i < EIGHTS; ++i) {
    int column = i * 8 + pair;
    if (column >= headSize) continue;
    float* at = to + static_cast<int64_t>(row) * stride + column;
    if (row < length) {
      *reinterpret_cast<float2*>(at) = make_float2(sums[i][0] * upper, sums[i][1] * upper);
    }
    if (row + 8 < length) {
      *reinterpret_cast<float2*>(at + 8ll * stride) =
          make_float2(sums[i][2] * lower, sums[i][3] * lower);
    }
  }
}

/// The rows of one head of one sequence.
struct HalfHead {
  HeadRows q, k, v;
  int64_t firstOut;  // of out and dOut
  int64_t firstSum;  // of logSumExp
  int outStride;
  float scale;

  __device__ __forceinline__ HalfHead(const float* qkv, int length, int headSize) {
    int head = blockIdx.y, heads = gridDim.y;
    int64_t batch = blockIdx.z;
    int dModel = heads * headSize;
    const float* first = qkv + batch * length * 3 * dModel + head * headSize;
    q = {first, 3 * dModel, length, headSize};
    k = {first + dModel, 3 * dModel, length, headSize};
    v = {first + 2 * dModel, 3 * dModel, length, headSize};
    firstOut = batch * length * dModel + head * headSize;
    firstSum = (batch * heads + head) * length;
    outStride = dModel;
    scale = 1.0f / sqrtf(static_cast<float>(headSize));
  }
};

}  // namespace moe

extern "C" __global__ void __launch_bounds__(256)
    moe_attention_half(const float* qkv, float* out, float* logSumExp, int length, int headSize) {
  using namespace moe;
  __shared__ HalfTile keys, values;
  HalfHead head(qkv, length, headSize);
  int first = blockIdx.x * ROWS;
  int own = first + (threadIdx.x >> 5) * 16;
  int lane = threadIdx.x & 31;
  OwnRows queries(head.q, own);
  float factor = head.scale * LOG2_E;
  float sums[EIGHTS][4] = {};
  float max[2] = {-INFINITY, -INFINITY}, total[2] = {};
  int last = min(length, first + ROWS);
  for (int firstKey = 0; firstKey < last; firstKey += TILE) {
    __syncthreads();
    fillTile<true, false>(head.k, firstKey, keys, keys);
    fillTile<false, true>(head.v, firstKey, values, values);
    __syncthreads();
    if (firstKey > own + 15) continue;
    float scores[EIGHTS][4] = {};
#pragma unroll
    for (int step = 0; step < STEPS; ++step) {
#pragma unroll
      for (int i = 0; i < EIGHTS; ++i) multiplyRows(scores[i], queries.words[step], keys, i, step);
    }
    float larger[2] = {max[0], max[1]};
#pragma unroll
    for (int i = 0; i < EIGHTS; ++i) {
#pragma unroll
      for (int j = 0; j < 4; ++j) {
        int key = firstKey + i * 8 + (lane & 3) * 2 + (j & 1);
        bool visible = key <= own + (lane >> 2) + (j >> 1) * 8;
        scores[i][j] = visible ? scores[i][j] * factor : -INFINITY;
        larger[j >> 1] = fmaxf(larger[j >> 1], scores[i][j]);
      }
    }
#pragma unroll
    for (int h = 0; h < 2; ++h) {
      larger[h] = rowMax(larger[h]);
      float shrink = larger[h] == -INFINITY ? 1.0f : exp2f(max[h] - larger[h]);
      max[h] = larger[h];
      total[h] *= shrink;
#pragma unroll
      for (int i = 0; i < EIGHTS; ++i) {
        sums[i][2 * h] *= shrink;
        sums[i][2 * h + 1] *= shrink;
        scores[i][2 * h] = exp2f(scores[i][2 * h] - max[h]);
        scores[i][2 * h + 1] = exp2f(scores[i][2 * h + 1] - max[h]);
        total[h] += scores[i][2 * h] + scores[i][2 * h + 1];
      }
    }
#pragma unroll
    for (int step = 0; step < STEPS; ++step) {
      uint32_t weights[4];
      asOperand(weights, scores[2 * step], scores[2 * step + 1]);
#pragma unroll
      for (int i = 0; i < EIGHTS; ++i) multiplyRows(sums[i], weights, values, i, step);
    }
  }
  total[0] = rowSum(total[0]);
  total[1] = rowSum(total[1]);
  storeRows(sums, out + head.firstOut, own, length, head.outStride, headSize, 1.0f / total[0],
            1.0f / total[1]);
  if (!logSumExp || (lane & 3) != 0) return;
#pragma unroll
  for (int h = 0; h < 2; ++h) {
    int row = own + (lane >> 2) + h * 8;
    if (row < length) logSumExp[head.firstSum + row] = (max[h] + log2f(total[h])) * LN_2;
  }
}

extern "C" __global__ void __launch_bounds__(256)
    moe_attention_half_back_queries(const float* dOut, const float* qkv, const float* out,
                                    const float* logSumExp, float* dQkv, int length, int headSize) {
  using namespace moe;
  __shared__ HalfTile keys, keyColumns, values;
  HalfHead head(qkv, length, headSize);
  HeadRows d = {dOut + head.firstOut, head.outStride, length, headSize};
  int first = blockIdx.x * ROWS;
  int own = first + (threadIdx.x >> 5) * 16;
  int lane = threadIdx.x & 31;
  OwnRows queries(head.q, own), dOuts(d, own);
  float factor = head.scale * LOG2_E;
  float mean[2], logSum[2];
#pragma unroll
  for (int h = 0; h < 2; ++h) {
    int row = min(own + (lane >> 2) + h * 8, length - 1);
    int64_t at = head.firstOut + static_cast<int64_t>(row) * head.outStride;
    float sum = 0.0f;
    for (int i = (lane & 3); i < headSize; i += 4) sum = fmaf(dOut[at + i], out[at + i], sum);
    mean[h] = rowSum(sum);
    logSum[h] = logSumExp[head.firstSum + row] * LOG2_E;
  }
  float sums[EIGHTS][4] = {};
  int last = min(length, first + ROWS);
  for (int firstKey = 0; firstKey < last; firstKey += TILE) {
    __syncthreads();
    fillTile<true, true>(head.k, firstKey, keys, keyColumns);
    fillTile<true, false>(head.v, firstKey, values, values);
    __syncthreads();
#pragma unroll
    for (int part = 0; part < STEPS; ++part) {  // 16 keys
      if (firstKey + part * 16 > own + 15) continue;
      float slopes[2][4];
#pragma unroll
      for (int i = 0; i < 2; ++i) {
        float scores[4] = {}, products[4] = {};
#pragma unroll
        for (int step = 0; step < STEPS; ++step) {
          multiplyRows(scores, queries.words[step], keys, part * 2 + i, step);
          multiplyRows(products, dOuts.words[step], values, part * 2 + i, step);
        }
#pragma unroll
        for (int j = 0; j < 4; ++j) {
          int key = firstKey + part * 16 + i * 8 + (lane & 3) * 2 + (j & 1), h = j >> 1;
          bool visible = key <= own + (lane >> 2) + h * 8;
          float weight = exp2f(scores[j] * factor - logSum[h]);
          slopes[i][j] = visible ? weight * (products[j] - mean[h]) : 0.0f;
        }
      }
      uint32_t operand[4];
      asOperand(operand, slopes[0], slopes[1]);
#pragma unroll
      for (int i = 0; i < EIGHTS; ++i) multiplyRows(sums[i], operand, keyColumns, i, part);
    }
  }
  float* to = dQkv + (head.q.from - qkv);
  storeRows(sums, to, own, length, head.q.stride, headSize, head.scale, head.scale);
}

extern "C" __global__ void __launch_bounds__(256)
    moe_attention_half_back_keys(const float* dOut, const float* qkv, const float* out,
                                 const float* logSumExp, float* dQkv, int length, int headSize) {
  using namespace moe;
  __shared__ HalfTile queries, queryColumns, dOuts, dOutColumns;
  __shared__ float means[TILE], logSums[TILE];
  HalfHead head(qkv, length, headSize);
  HeadRows d = {dOut + head.firstOut, head.outStride, length, headSize};
  int first = blockIdx.x * ROWS;
  int own = first + (threadIdx.x >> 5) * 16;
  int lane = threadIdx.x & 31;
  OwnRows keys(head.k, own), values(head.v, own);
  float factor = head.scale * LOG2_E;
  float dKeys[EIGHTS][4] = {}, dValues[EIGHTS][4] = {};
  for (int firstQuery = first; firstQuery < length; firstQuery += TILE) {
    __syncthreads();
    fillTile<true, true>(head.q, firstQuery, queries, queryColumns);
    fillTile<true, true>(d, firstQuery, dOuts, dOutColumns);
    for (int i = threadIdx.x >> 5; i < TILE; i += 8) {
      int row = min(firstQuery + i, length - 1);
      int64_t at = head.firstOut + static_cast<int64_t>(row) * head.outStride;
      float sum = 0.0f;
      for (int c = lane; c < headSize; c += 32) sum = fmaf(dOut[at + c], out[at + c], sum);
      sum = warpSum(sum);
      if (lane == 0) {
        means[i] = sum;
        logSums[i] = logSumExp[head.firstSum + row] * LOG2_E;
      }
    }
    __syncthreads();
#pragma unroll
    for (int part = 0; part < STEPS; ++part) {  // 16 queries
      if (firstQuery + part * 16 + 15 < own) continue;
      float weights[2][4], slopes[2][4];
#pragma unroll
      for (int i = 0; i < 2; ++i) {
        float scores[4] = {}, products[4] = {};
#pragma unroll
        for (int step = 0; step < STEPS; ++step) {
          multiplyRows(scores, keys.words[step], queries, part * 2 + i, step);
          multiplyRows(products, values.words[step], dOuts, part * 2 + i, step);
        }
#pragma unroll
        for (int j = 0; j < 4; ++j) {
          int at = part * 16 + i * 8 + (lane & 3) * 2 + (j & 1);
          int query = firstQuery + at, key = own + (lane >> 2) + (j >> 1) * 8;
          bool visible = key <= query && query < length;
          weights[i][j] = visible ? exp2f(scores[j] * factor - logSums[at]) : 0.0f;
          slopes[i][j] = visible ? weights[i][j] * (products[j] - means[at]) : 0.0f;
        }
      }
      uint32_t left[4], right[4];
      asOperand(left, weights[0], weights[1]);
      asOperand(right, slopes[0], slopes[1]);
#pragma unroll
      for (int i = 0; i < EIGHTS; ++i) {
        multiplyRows(dValues[i], left, dOutColumns, i, part);
        multiplyRows(dKeys[i], right, queryColumns, i, part);
      }
    }
  }
  float* to = dQkv + (head.k.from - qkv);
  storeRows(dKeys, to, own, length, head.k.stride, headSize, head.scale, head.scale);
  storeRows(dValues, dQkv + (head.v.from - qkv), own, length, head.v.stride, headSize, 1.0f, 1.0f);
}
