// moe_topk: the topK best experts of each token by logit + bias, and softmax over the logits of
// these as gates. One warp a token. Of equal scores the smaller id wins; NaN is worse than every
// number, so ids stay in range, and makes all gates of its token NaN. moe_topk_back: the gradient of
// the logits, g_k · Σ g_j · (d_k − d_j) for the chosen, 0 for the others: as gates add up to 1 that is
// g_k · (d_k − Σ g_j · d_j), but where one gate is nearly 1 this would lose it in rounding.
//
// logits, dLogits  F32 [tokens, experts], experts <= 256
// bias             F32 [experts], for the choice alone
// expertIds        I32 [tokens, topK], best first
// gates, dGates    F32 [tokens, topK]
//
// Launch: block = 256, grid = ceil(tokens / 8), shared = 0.
#include "numeric.cuh"
#include "reduce.cuh"

namespace moe {

constexpr int MOST_EXPERTS = 256;
constexpr int MINE = MOST_EXPERTS / 32;  // experts of a lane: lane, lane + 32, …

}  // namespace moe

extern "C" __global__ void __launch_bounds__(256)
    moe_topk(const float* logits, const float* bias, int* expertIds, float* gates, int tokens,
             int experts, int topK) {
  int token = blockIdx.x * 8 + (threadIdx.x >> 5), lane = threadIdx.x & 31;
  if (token >= tokens) return;
  const float* row = logits + static_cast<int64_t>(token) * experts;
  int64_t first = static_cast<int64_t>(token) * topK;
  float scores[moe::MINE];
  bool open[moe::MINE];
  bool hasNaN = false;
#pragma unroll
  for (int i = 0; i < moe::MINE; ++i) {
    int expert = lane + i * 32;
    open[i] = expert < experts;
    scores[i] = 0.0f;
    if (open[i]) {
      float logit = row[expert];
      hasNaN |= logit != logit;
      scores[i] = logit + bias[expert];
    }
  }
  hasNaN = __any_sync(~0u, hasNaN);
  float max = -INFINITY;
  for (int k = 0; k < topK; ++k) {
    // A number beats NaN beats nothing; then the larger; then the smaller id.
    int rank = 0, best = 0x7fffffff;
    float score = 0.0f;
#pragma unroll
    for (int i = 0; i < moe::MINE; ++i) {
      if (!open[i]) continue;
      int mine = scores[i] == scores[i] ? 2 : 1;
      if (mine > rank || (mine == rank && mine == 2 && scores[i] > score)) {
        rank = mine;
        score = scores[i];
        best = lane + i * 32;
      }
    }
#pragma unroll
    for (int step = 16; step > 0; step /= 2) {
      int otherRank = __shfl_xor_sync(~0u, rank, step);
      int other = __shfl_xor_sync(~0u, best, step);
      float otherScore = __shfl_xor_sync(~0u, score, step);
      bool better = otherRank > rank;
      if (otherRank == rank) {
        bool equal = rank != 2 || otherScore == score;
        better = equal ? other < best : otherScore > score;
      }
      if (better) {
        rank = otherRank;
        best = other;
        score = otherScore;
      }
    }
#pragma unroll
    for (int i = 0; i < moe::MINE; ++i) {
      if (best == lane + i * 32) open[i] = false;
    }
    if (lane == 0) expertIds[first + k] = best;
    max = fmaxf(max, row[best]);  // with a bias the first need not be the largest
  }
  __syncwarp();
  float sum = 0.0f;
  for (int k = lane; k < topK; k += 32) sum += expf(row[expertIds[first + k]] - max);
  sum = moe::warpSum(sum);
  for (int k = lane; k < topK; k += 32) {
    float gate = expf(row[expertIds[first + k]] - max) / sum;
    gates[first + k] = hasNaN ? __int_as_float(0x7fc00000) : gate;
  }
}

extern "C" __global__ void __launch_bounds__(256)
    moe_topk_back(const int* expertIds, const float* gates, const float* dGates, float* dLogits,
                  int tokens, int experts, int topK) {
  int token = blockIdx.x * 8 + (threadIdx.x >> 5), lane = threadIdx.x & 31;
  if (token >= tokens) return;
  int64_t first = static_cast<int64_t>(token) * topK;
  float* row = dLogits + static_cast<int64_t>(token) * experts;
  for (int expert = lane; expert < experts; expert += 32) {
    float d = 0.0f;
    for (int k = 0; k < topK; ++k) {
      if (expertIds[first + k] != expert) continue;
      float above = 0.0f;
      for (int j = 0; j < topK; ++j) {
        if (j != k && expertIds[first + j] >= 0) {
          above = fmaf(gates[first + j], dGates[first + k] - dGates[first + j], above);
        }
      }
      d = gates[first + k] * above;
    }
    row[expert] = d;
  }
}
