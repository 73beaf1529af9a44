// moe_embed: out[t] = tokenTable[ids[t]] + positionTable[firstPosition + t mod seqLength], and the
// gradients of both tables. Each row of a table is added up by one block in the order of the tokens:
// no float atomics, the same bits every time.
//
// ids        I32 [tokens]; an id outside the table gives NaN, and no gradient
// table      F32 or BF16 (…_bf16w) [vocab, dModel]
// positions  F32 [nPositions, dModel]
// out, dOut  F32 [tokens, dModel]
// firstPositionAt  I32 [1] or null: the first position, where the host does not know it
//
// moe_embed[_bf16w]:           block = 256, grid = tokens.
// moe_embed_back_tokens:       block = 256, grid = tokens. The first token with an id adds up all.
// moe_embed_back_positions:    block = 256, grid = min(seqLength, tokens).
#include "dependent.cuh"
#include "numeric.cuh"

namespace moe {

template <class W>
__device__ __forceinline__ void embed(const int* ids, const W* table, const float* positions,
                                      float* out, int vocab, int seqLength, int firstPosition,
                                      const int* firstPositionAt, int dModel) {
  if (firstPositionAt) firstPosition = *firstPositionAt;
  int token = blockIdx.x;
  int id = ids[token];
  bool inside = id >= 0 && id < vocab;
  const W* row = table + static_cast<int64_t>(inside ? id : 0) * dModel;
  const float* position =
      positions + static_cast<int64_t>(firstPosition + token % seqLength) * dModel;
  float* to = out + static_cast<int64_t>(token) * dModel;
  for (int i = threadIdx.x; i < dModel; i += blockDim.x) {
    to[i] = inside ? toFloat(row[i]) + position[i] : __int_as_float(0x7fc00000);
  }
}

constexpr int SEARCHED = 1024;  // tokens at a time

/// Whether this thread finds an id among [base, base + 1024) before `end`; and which its warp finds,
/// a bit a token.
__device__ __forceinline__ bool search(
    const int* ids, int id, int base, int end, unsigned (&warp)[SEARCHED / 256]) {
  bool any = false;
#pragma unroll
  for (int i = 0; i < SEARCHED / 256; ++i) {
    int at = base + i * 256 + threadIdx.x;
    bool same = at < end && ids[at] == id;
    any |= same;
    warp[i] = __ballot_sync(~0u, same);
  }
  return any;
}

}  // namespace moe

extern "C" __global__ void __launch_bounds__(256)
    moe_embed(const int* ids, const float* table, const float* positions, float* out, int vocab,
              int seqLength, int firstPosition, const int* firstPositionAt, int dModel) {
  moe::awaitPredecessor();
  moe::releaseSuccessor();
  moe::embed(ids, table, positions, out, vocab, seqLength, firstPosition, firstPositionAt, dModel);
}

extern "C" __global__ void __launch_bounds__(256)
    moe_embed_bf16w(const int* ids, const moe::bf16* table, const float* positions, float* out,
                    int vocab, int seqLength, int firstPosition, const int* firstPositionAt,
                    int dModel) {
  moe::awaitPredecessor();
  moe::releaseSuccessor();
  moe::embed(ids, table, positions, out, vocab, seqLength, firstPosition, firstPositionAt, dModel);
}

extern "C" __global__ void __launch_bounds__(256)
    moe_embed_back_tokens(const int* ids, const float* dOut, float* dTable, int tokens, int vocab,
                          int dModel) {
  using namespace moe;
  __shared__ unsigned found[SEARCHED / 32];
  int token = blockIdx.x;
  int id = ids[token];
  if (id < 0 || id >= vocab) return;
  unsigned own[SEARCHED / 256];
  for (int base = 0; base < token; base += SEARCHED) {
    if (__syncthreads_or(search(ids, id, base, token, own))) return;
  }
  float* to = dTable + static_cast<int64_t>(id) * dModel;
  for (int first = threadIdx.x; first - static_cast<int>(threadIdx.x) < dModel; first += 1024) {
    float sums[4] = {};
    for (int base = token; base < tokens; base += SEARCHED) {
      if (!__syncthreads_or(search(ids, id, base, tokens, own))) continue;
      if ((threadIdx.x & 31) == 0) {
#pragma unroll
        for (int i = 0; i < SEARCHED / 256; ++i) found[i * 8 + (threadIdx.x >> 5)] = own[i];
      }
      __syncthreads();
      for (int word = 0; word < SEARCHED / 32; ++word) {
        for (unsigned left = found[word]; left != 0; left &= left - 1) {
          int other = base + word * 32 + __ffs(left) - 1;
          const float* from = dOut + static_cast<int64_t>(other) * dModel;
#pragma unroll
          for (int i = 0; i < 4; ++i) {
            if (first + i * 256 < dModel) sums[i] += from[first + i * 256];
          }
        }
      }
    }
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      if (first + i * 256 < dModel) to[first + i * 256] += sums[i];
    }
  }
}

extern "C" __global__ void __launch_bounds__(256)
    moe_embed_back_positions(const float* dOut, float* dPositions, int tokens, int seqLength,
                             int dModel) {
  int position = blockIdx.x;
  for (int i = threadIdx.x; i < dModel; i += blockDim.x) {
    float sum = 0.0f;
    for (int64_t token = position; token < tokens; token += seqLength) {
      sum += dOut[token * dModel + i];
    }
    dPositions[static_cast<int64_t>(position) * dModel + i] += sum;
  }
}
