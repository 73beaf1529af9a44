// moe_attention_half: causal self-attention on tensor cores, operands in bf16, sums and softmax in
// float32, no matrix of scores in memory. As FlashAttention-2 (Dao, arXiv 2307.08691). Its gradient:
// attention_half_back.cu.
//
// qkv         bf16 [batch, length, 3, heads, headSize]
// out         F32 [batch, length, heads, headSize]
// rounded     bf16, as out: the same once more for a product that follows; null for none
// logSumExp   F32 [batch, heads, length] or null
//
// A block has 64 rows, 16 a warp; tiles of 64 rows of the other side come by asynchronous copies, the
// next while one is used. Blocks with the most tiles come first. A NaN reaches the other rows of its tile
// of 64. headSize <= 64, a multiple of 8; all aligned to 16 bytes.
// Launch: block = 128, grid = (ceil(length / 64), heads, batch), shared = 0.
#include "dependent.cuh"
#include "exponential.cuh"
#include "half_attention.cuh"

extern "C" __global__ void __launch_bounds__(128, 4)
    moe_attention_half(const moe::bf16* qkv, float* out, moe::bf16* rounded, float* logSumExp,
                       int length, int headSize) {
  using namespace moe;
  __shared__ HalfTile keys[2], values[2];
  HalfHead head(qkv, length, headSize);
  int tile = gridDim.x - 1 - blockIdx.x;
  int own = tile * TILE + (threadIdx.x >> 5) * 16;
  int lane = threadIdx.x & 31;
  float factor = head.scale * LOG2_E;
  awaitPredecessor();
  releaseSuccessor();
  head.q.copyTo(keys[1], tile * TILE);
  head.k.copyTo(keys[0], 0);
  head.v.copyTo(values[0], 0);
  awaitTile();
  __syncthreads();
  OwnRows queries;
  queries.load(keys[1]);
  float sums[EIGHTS][4] = {};
  float max[2] = {-INFINITY, -INFINITY}, total[2] = {};
  for (int at = 0; at <= tile; ++at) {
    int firstKey = at * TILE, buffer = at & 1;
    awaitTile();
    __syncthreads();  // this tile is there, and nobody reads the one before
    if (at < tile) {
      head.k.copyTo(keys[buffer ^ 1], firstKey + TILE);
      head.v.copyTo(values[buffer ^ 1], firstKey + TILE);
    }
    float scores[EIGHTS][4] = {};
#pragma unroll
    for (int pair = 0; pair < EIGHTS / 2; ++pair) {
      multiplyRows(scores[2 * pair], scores[2 * pair + 1], queries, keys[buffer], pair * 16);
    }
    if (at == tile) {
#pragma unroll
      for (int i = 0; i < EIGHTS; ++i) {
#pragma unroll
        for (int j = 0; j < 4; ++j) {
          int key = firstKey + i * 8 + (lane & 3) * 2 + (j & 1);
          if (key > own + (lane >> 2) + (j >> 1) * 8) scores[i][j] = -INFINITY;
        }
      }
    }
    // The scale is positive, so the largest of the scores stays the largest.
#pragma unroll
    for (int h = 0; h < 2; ++h) {
      float larger = max[h];
#pragma unroll
      for (int i = 0; i < EIGHTS; ++i) {
        larger = fmaxf(larger, fmaxf(scores[i][2 * h], scores[i][2 * h + 1]));
      }
      larger = rowMax(larger);
      float shrink = larger == -INFINITY ? 1.0f : power2((max[h] - larger) * factor);
      max[h] = larger;
      total[h] *= shrink;
      float shift = larger * factor;
#pragma unroll
      for (int i = 0; i < EIGHTS; ++i) {
        sums[i][2 * h] *= shrink;
        sums[i][2 * h + 1] *= shrink;
        scores[i][2 * h] = power2(fmaf(scores[i][2 * h], factor, -shift));
        scores[i][2 * h + 1] = power2(fmaf(scores[i][2 * h + 1], factor, -shift));
        total[h] += scores[i][2 * h] + scores[i][2 * h + 1];
      }
    }
#pragma unroll
    for (int step = 0; step < STEPS; ++step) {
      uint32_t weights[4];
      asOperand(weights, scores[2 * step], scores[2 * step + 1]);
      multiplyColumns(sums, weights, values[buffer], step * 16);
    }
  }
  total[0] = rowSum(total[0]);
  total[1] = rowSum(total[1]);
  float upper = 1.0f / total[0], lower = 1.0f / total[1];
  if (rounded) {
    storeRows(sums, rounded + head.firstOut, own, length, head.outStride, headSize, upper, lower);
  }
  storeRows(sums, out + head.firstOut, own, length, head.outStride, headSize, upper, lower);
  if (!logSumExp || (lane & 3) != 0) return;
#pragma unroll
  for (int h = 0; h < 2; ++h) {
    int row = own + (lane >> 2) + h * 8;
    if (row < length) {
      logSumExp[head.firstSum + row] = fmaf(max[h], head.scale, log2f(total[h]) * LN_2);
    }
  }
}
