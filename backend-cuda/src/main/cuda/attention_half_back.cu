// moe_attention_half_back: the gradient of attention_half.cu. Queries and keys have a kernel each, so that
// every sum is taken by one warp in a fixed order.
//
// qkv         bf16 [batch, length, 3, heads, headSize]
// dQkv        F32, the same
// rounded     bf16, as dQkv: the same once more for a product that follows; null for none
// out, dOut   F32 [batch, length, heads, headSize]
// d           bf16, as dOut
// logSumExp   F32 [batch, heads, length]
// means       F32 [batch, heads, length]: ⟨dOut, out⟩ of each row, what softmax's gradient subtracts
//
// moe_attention_half_back_queries, _keys: blocks and sizes as in attention_half.cu.
// moe_attention_half_prepare: d = dOut, rounded, and means. Launch: block = 256,
//   grid = ceil(batch · length · heads / 32), shared = 0: 8 lanes a row of a head.
#include "dependent.cuh"
#include "exponential.cuh"
#include "half_attention.cuh"

namespace moe {

/// Stores a warp's 16 rows to where `of` lies in qkv.
__device__ __forceinline__ void storeBoth(
    const float (&sums)[EIGHTS][4], float* dQkv, bf16* rounded, const HeadRows& of,
    const bf16* qkv, int first, float factor) {
  int64_t at = of.from - qkv;
  storeRows(sums, dQkv + at, first, of.length, of.stride, of.headSize, factor, factor);
  if (!rounded) return;
  storeRows(sums, rounded + at, first, of.length, of.stride, of.headSize, factor, factor);
}

}  // namespace moe

extern "C" __global__ void __launch_bounds__(256)
    moe_attention_half_prepare(const float* dOut, const float* out, moe::bf16* d, float* means,
                               int batch, int length, int heads, int headSize) {
  using namespace moe;
  awaitPredecessor();
  releaseSuccessor();
  int64_t item = static_cast<int64_t>(blockIdx.x) * 32 + (threadIdx.x >> 3);
  bool inside = item < static_cast<int64_t>(batch) * length * heads;
  int piece = (threadIdx.x & 7) * 8;
  float sum = 0.0f;
  if (inside && piece < headSize) {
    int64_t at = item * headSize + piece;
    float4 a[2], b[2];
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      a[i] = *reinterpret_cast<const float4*>(dOut + at + 4 * i);
      b[i] = *reinterpret_cast<const float4*>(out + at + 4 * i);
      sum = fmaf(a[i].x, b[i].x, fmaf(a[i].y, b[i].y, fmaf(a[i].z, b[i].z, fmaf(a[i].w, b[i].w, sum))));
    }
    *reinterpret_cast<uint4*>(d + at) = make_uint4(packBf16(a[0].x, a[0].y), packBf16(a[0].z, a[0].w),
                                                   packBf16(a[1].x, a[1].y), packBf16(a[1].z, a[1].w));
  }
#pragma unroll
  for (int step = 4; step > 0; step /= 2) sum += __shfl_xor_sync(~0u, sum, step);
  if (inside && piece == 0) {
    int64_t token = item / heads;
    int head = static_cast<int>(item - token * heads);
    int64_t sequence = token / length;
    means[(sequence * heads + head) * length + (token - sequence * length)] = sum;
  }
}

extern "C" __global__ void __launch_bounds__(128, 4)
    moe_attention_half_back_queries(const moe::bf16* d, const moe::bf16* qkv,
                                    const float* logSumExp, const float* means, float* dQkv,
                                    moe::bf16* rounded, int length, int headSize) {
  using namespace moe;
  __shared__ HalfTile keys[2], values[2];
  HalfHead head(qkv, length, headSize);
  int tile = gridDim.x - 1 - blockIdx.x;
  int own = tile * TILE + (threadIdx.x >> 5) * 16;
  int lane = threadIdx.x & 31;
  awaitPredecessor();
  releaseSuccessor();
  head.q.copyTo(keys[1], tile * TILE);
  head.rowsOf(d).copyTo(values[1], tile * TILE);
  head.k.copyTo(keys[0], 0);
  head.v.copyTo(values[0], 0);
  float mean[2], logSum[2];
#pragma unroll
  for (int h = 0; h < 2; ++h) {
    int row = min(own + (lane >> 2) + h * 8, length - 1);
    mean[h] = means[head.firstSum + row];
    logSum[h] = logSumExp[head.firstSum + row] * LOG2_E;
  }
  awaitTile();
  __syncthreads();
  OwnRows queries, dOuts;
  queries.load(keys[1]);
  dOuts.load(values[1]);
  float factor = head.scale * LOG2_E;
  float sums[EIGHTS][4] = {};
  for (int at = 0; at <= tile; ++at) {
    int firstKey = at * TILE, buffer = at & 1;
    awaitTile();
    __syncthreads();
    if (at < tile) {
      head.k.copyTo(keys[buffer ^ 1], firstKey + TILE);
      head.v.copyTo(values[buffer ^ 1], firstKey + TILE);
    }
#pragma unroll
    for (int part = 0; part < STEPS; ++part) {  // 16 keys
      if (firstKey + part * 16 > own + 15) continue;
      float scores[2][4] = {}, slopes[2][4] = {};
      multiplyRows(scores[0], scores[1], queries, keys[buffer], part * 16);
      multiplyRows(slopes[0], slopes[1], dOuts, values[buffer], part * 16);
#pragma unroll
      for (int i = 0; i < 2; ++i) {
#pragma unroll
        for (int j = 0; j < 4; ++j) {
          int key = firstKey + part * 16 + i * 8 + (lane & 3) * 2 + (j & 1), h = j >> 1;
          bool visible = at < tile || key <= own + (lane >> 2) + h * 8;
          float weight = power2(fmaf(scores[i][j], factor, -logSum[h]));
          slopes[i][j] = visible ? weight * (slopes[i][j] - mean[h]) : 0.0f;
        }
      }
      uint32_t operand[4];
      asOperand(operand, slopes[0], slopes[1]);
      multiplyColumns(sums, operand, keys[buffer], part * 16);
    }
  }
  storeBoth(sums, dQkv, rounded, head.q, qkv, own, head.scale);
}

extern "C" __global__ void __launch_bounds__(128, 3)
    moe_attention_half_back_keys(const moe::bf16* d, const moe::bf16* qkv, const float* logSumExp,
                                 const float* means, float* dQkv, moe::bf16* rounded, int length,
                                 int headSize) {
  using namespace moe;
  __shared__ HalfTile queries[2], dOuts[2];
  __shared__ float logSums[2][TILE], meansOf[2][TILE];
  HalfHead head(qkv, length, headSize);
  HeadRows dRows = head.rowsOf(d);
  int tile = blockIdx.x, last = gridDim.x - 1;
  int own = tile * TILE + (threadIdx.x >> 5) * 16;
  int lane = threadIdx.x & 31;
  auto copyTile = [&](int at, int buffer) {
    int first = at * TILE;
    head.q.copyTo(queries[buffer], first);
    dRows.copyTo(dOuts[buffer], first);
    // Rows beyond the last are zeros: what they add is zero.
    int row = threadIdx.x & (TILE - 1);
    bool inside = first + row < length;
    int64_t from = head.firstSum + (inside ? first + row : 0);
    if (threadIdx.x < TILE) {
      copyFourLater(&logSums[buffer][row], logSumExp + from, inside);
    } else {
      copyFourLater(&meansOf[buffer][row], means + from, inside);
    }
  };
  awaitPredecessor();
  releaseSuccessor();
  head.k.copyTo(queries[1], tile * TILE);
  head.v.copyTo(dOuts[1], tile * TILE);
  copyTile(tile, 0);
  awaitTile();
  __syncthreads();
  OwnRows keys, values;
  keys.load(queries[1]);
  values.load(dOuts[1]);
  float factor = head.scale * LOG2_E;
  float dKeys[EIGHTS][4] = {}, dValues[EIGHTS][4] = {};
  for (int at = tile; at <= last; ++at) {
    int firstQuery = at * TILE, buffer = (at - tile) & 1;
    awaitTile();
    __syncthreads();
    if (at < last) copyTile(at + 1, buffer ^ 1);
#pragma unroll
    for (int part = 0; part < STEPS; ++part) {  // 16 queries
      if (firstQuery + part * 16 + 15 < own) continue;
      float weights[2][4] = {}, slopes[2][4] = {};
      multiplyRows(weights[0], weights[1], keys, queries[buffer], part * 16);
      multiplyRows(slopes[0], slopes[1], values, dOuts[buffer], part * 16);
#pragma unroll
      for (int i = 0; i < 2; ++i) {
        int column = part * 16 + i * 8 + (lane & 3) * 2;
        float2 logSum = *reinterpret_cast<const float2*>(&logSums[buffer][column]);
        float2 mean = *reinterpret_cast<const float2*>(&meansOf[buffer][column]);
#pragma unroll
        for (int j = 0; j < 4; ++j) {
          int query = firstQuery + column + (j & 1), key = own + (lane >> 2) + (j >> 1) * 8;
          bool visible = at > tile || key <= query;
          float sum = (j & 1) ? logSum.y : logSum.x;
          float weight = power2(fmaf(weights[i][j], factor, -sum * LOG2_E));
          weights[i][j] = visible ? weight : 0.0f;
          slopes[i][j] = visible ? weight * (slopes[i][j] - ((j & 1) ? mean.y : mean.x)) : 0.0f;
        }
      }
      uint32_t left[4], right[4];
      asOperand(left, weights[0], weights[1]);
      asOperand(right, slopes[0], slopes[1]);
      multiplyColumns(dValues, left, dOuts[buffer], part * 16);
      multiplyColumns(dKeys, right, queries[buffer], part * 16);
    }
  }
  storeBoth(dKeys, dQkv, rounded, head.k, qkv, own, head.scale);
  storeBoth(dValues, dQkv, rounded, head.v, qkv, own, 1.0f);
}
