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
  __shared__ int matches[256];
  int token = blockIdx.x;
  int id = ids[token];
  if (id < 0 || id >= vocab) return;
  for (int base = 0; base < token; base += 256) {
    int other = base + threadIdx.x;
    if (__syncthreads_or(other < token && ids[other] == id)) return;
  }
  float* to = dTable + static_cast<int64_t>(id) * dModel;
  for (int base = token; base < tokens; base += 256) {
    int other = base + threadIdx.x;
    bool match = other < tokens && ids[other] == id;
    if (!__syncthreads_or(match)) continue;
    matches[threadIdx.x] = match;
    __syncthreads();
    for (int j = 0; j < 256; ++j) {
      if (!matches[j]) continue;
      const float* from = dOut + static_cast<int64_t>(base + j) * dModel;
      for (int i = threadIdx.x; i < dModel; i += 256) to[i] += from[i];
    }
    __syncthreads();
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
