// moe_attention_half: causal self-attention and its gradient on tensor cores, operands in bf16, sums
// and softmax in float32, no matrix of scores in memory. As FlashAttention-2 (Dao, arXiv 2307.08691),
// but queries and keys have a kernel each in the gradient, so that every sum is taken by one warp in a
// fixed order.
//
// qkv         bf16 [batch, length, 3, heads, headSize]
// dQkv        F32, the same
// out, dOut   F32 [batch, length, heads, headSize]
// d           bf16, as dOut
// logSumExp   F32 [batch, heads, length] or null
// means       F32 [batch, heads, length]: ⟨dOut, out⟩ of each row, what softmax's gradient subtracts
//
// A block has 64 rows, 16 a warp; tiles of 64 rows of the other side come by asynchronous copies, the
// next while one is used. Rows of tiles are 128 bytes whose 16-byte pieces change places by the row,
// so that the 8 rows of a matrix lie in different banks. Blocks with the most tiles come first.
// A NaN reaches the other rows of its tile of 64.
// moe_attention_half, …_back_queries, …_back_keys: headSize <= 64, a multiple of 8; all aligned to 16
//   bytes. Launch: block = 128, grid = (ceil(length / 64), heads, batch), shared = 0.
// moe_attention_half_prepare: d = dOut, rounded, and means. Launch: block = 256,
//   grid = ceil(batch · length · heads / 32), shared = 0: 8 lanes a row of a head.
#include "asynchronous.cuh"
#include "dependent.cuh"
#include "exponential.cuh"
#include "mma.cuh"
#include "numeric.cuh"

namespace moe {

constexpr int TILE = 64;    // rows of a block, and of the other side
constexpr int EIGHTS = 8;   // of a head, or of a tile
constexpr int STEPS = 4;    // of 16
constexpr int THREADS = 128;

/// 64 rows of 64 numbers.
struct alignas(128) HalfTile {
  uint4 pieces[TILE][EIGHTS];

  __device__ __forceinline__ const uint4* at(int row, int piece) const {
    return &pieces[row][piece ^ (row & 7)];
  }
};

/// Waits for this thread's copies so far; a barrier makes those of others visible.
__device__ __forceinline__ void awaitTile() {
  endCopies();
  awaitCopies<0>();
}

/// Where a head's rows lie.
struct HeadRows {
  const bf16* from;
  int64_t stride;
  int length;
  int headSize;

  /// Begins to copy 64 rows; zeros beyond.
  __device__ __forceinline__ void copyTo(HalfTile& tile, int first) const {
#pragma unroll
    for (int i = 0; i < TILE * EIGHTS / THREADS; ++i) {
      int item = i * THREADS + threadIdx.x;
      int row = item >> 3, piece = item & 7;
      bool inside = first + row < length && piece * 8 < headSize;
      const bf16* source = inside ? from + (first + row) * stride + piece * 8 : from;
      copyLater(const_cast<uint4*>(tile.at(row, piece)), source, inside);
    }
  }
};

/// A warp's 16 rows of a tile as left operands.
struct OwnRows {
  uint32_t words[STEPS][4];

  __device__ __forceinline__ void load(const HalfTile& tile) {
    int lane = threadIdx.x & 31, row = (threadIdx.x >> 5) * 16 + (lane & 15);
#pragma unroll
    for (int step = 0; step < STEPS; ++step) {
      loadMatrices<false>(words[step], tile.at(row, step * 2 + (lane >> 4)));
    }
  }
};

/// d[0], d[1] += `a`'s 16 rows times 2 · 8 rows of a tile from `first` on, over the whole head.
__device__ __forceinline__ void multiplyRows(
    float (&left)[4], float (&right)[4], const OwnRows& a, const HalfTile& tile, int first) {
  int lane = threadIdx.x & 31;
  int row = first + (lane & 7) + (lane >> 4) * 8, piece = (lane >> 3) & 1;
#pragma unroll
  for (int step = 0; step < STEPS; ++step) {
    uint32_t b[4];
    loadMatrices<false>(b, tile.at(row, step * 2 + piece));
    const uint32_t(&w)[4] = a.words[step];
    multiplyBf16(left, w[0], w[1], w[2], w[3], b[0], b[1]);
    multiplyBf16(right, w[0], w[1], w[2], w[3], b[2], b[3]);
  }
}

/// sums += 16 × 16 of `a` times 16 rows of a tile from `first` on.
__device__ __forceinline__ void multiplyColumns(
    float (&sums)[EIGHTS][4], const uint32_t (&a)[4], const HalfTile& tile, int first) {
  int lane = threadIdx.x & 31;
  int row = first + (lane & 15), piece = lane >> 4;
#pragma unroll
  for (int pair = 0; pair < EIGHTS / 2; ++pair) {
    uint32_t b[4];
    loadMatrices<true>(b, tile.at(row, pair * 2 + piece));
    multiplyBf16(sums[2 * pair], a[0], a[1], a[2], a[3], b[0], b[1]);
    multiplyBf16(sums[2 * pair + 1], a[0], a[1], a[2], a[3], b[2], b[3]);
  }
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

/// Stores a warp's 16 rows of 64 columns, times `upper` and `lower`.
__device__ __forceinline__ void storeRows(
    const float (&sums)[EIGHTS][4], float* to, int first, int length, int64_t stride, int headSize,
    float upper, float lower) {
  int row = first + ((threadIdx.x & 31) >> 2), pair = (threadIdx.x & 3) * 2;
#pragma unroll
  for (int i = 0; i < EIGHTS; ++i) {
    int column = i * 8 + pair;
    if (column >= headSize) continue;
    float* at = to + row * stride + column;
    if (row < length) {
      *reinterpret_cast<float2*>(at) = make_float2(sums[i][0] * upper, sums[i][1] * upper);
    }
    if (row + 8 < length) {
      *reinterpret_cast<float2*>(at + 8 * stride) =
          make_float2(sums[i][2] * lower, sums[i][3] * lower);
    }
  }
}

/// The rows of one head of one sequence.
struct HalfHead {
  HeadRows q, k, v;
  int64_t firstOut;  // of out and dOut
  int64_t firstSum;  // of logSumExp and means
  int64_t outStride;
  float scale;

  __device__ __forceinline__ HalfHead(const bf16* qkv, int length, int headSize) {
    int head = blockIdx.y, heads = gridDim.y;
    int64_t batch = blockIdx.z;
    int dModel = heads * headSize;
    const bf16* first = qkv + batch * length * 3 * dModel + head * headSize;
    q = {first, 3 * dModel, length, headSize};
    k = {first + dModel, 3 * dModel, length, headSize};
    v = {first + 2 * dModel, 3 * dModel, length, headSize};
    firstOut = batch * length * dModel + head * headSize;
    firstSum = (batch * heads + head) * length;
    outStride = dModel;
    scale = 1.0f / sqrtf(static_cast<float>(headSize));
  }

  __device__ __forceinline__ HeadRows rowsOf(const bf16* d) const {
    return {d + firstOut, outStride, q.length, q.headSize};
  }
};

}  // namespace moe

extern "C" __global__ void __launch_bounds__(128, 4)
    moe_attention_half(const moe::bf16* qkv, float* out, float* logSumExp, int length,
                       int headSize) {
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
  storeRows(sums, out + head.firstOut, own, length, head.outStride, headSize, 1.0f / total[0],
            1.0f / total[1]);
  if (!logSumExp || (lane & 3) != 0) return;
#pragma unroll
  for (int h = 0; h < 2; ++h) {
    int row = own + (lane >> 2) + h * 8;
    if (row < length) {
      logSumExp[head.firstSum + row] = fmaf(max[h], head.scale, log2f(total[h]) * LN_2);
    }
  }
}

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
                                    int length, int headSize) {
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
  float* to = dQkv + (head.q.from - qkv);
  storeRows(sums, to, own, length, head.q.stride, headSize, head.scale, head.scale);
}

extern "C" __global__ void __launch_bounds__(128, 3)
    moe_attention_half_back_keys(const moe::bf16* d, const moe::bf16* qkv, const float* logSumExp,
                                 const float* means, float* dQkv, int length, int headSize) {
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
  float* to = dQkv + (head.k.from - qkv);
  storeRows(dKeys, to, own, length, head.k.stride, headSize, head.scale, head.scale);
  storeRows(dValues, dQkv + (head.v.from - qkv), own, length, head.v.stride, headSize, 1.0f, 1.0f);
}
