// A router's balance loss and z-loss with the gradient of its logits. With p = softmax(z),
// l = log Σ e^z, shares f, a = balance · experts / tokens and b = 2 · zWeight / tokens:
// dz_e = p_e · (a · (f_e − Σ f·p) + b · l). Rows are short and their terms nearly cancel, so they
// are taken in double precision.
//
// moe_auxiliary_share: the share of all used slots that went to each expert.
// moe_auxiliary_rows:  the gradient, and each token's part of both terms; one warp a token.
// moe_auxiliary_sum:   the terms, parts added in an order that never changes.
//
// expertIds  I32 [slots]; -1 for an unused slot, as is any id out of range
// share      F32 [experts], experts <= 256
// logits     F32 [tokens, experts], dLogits likewise
// parts      F64 [2, tokens]: Σ f·p, l²
// losses     F32 [2]: balance and z, each times its weight
//
// Launch: share and sum: block = 1024, grid = 1; rows: block = 256, grid = ceil(tokens / 8).
#include "numeric.cuh"
#include "reduce.cuh"

extern "C" __global__ void __launch_bounds__(1024)
    moe_auxiliary_share(const int* expertIds, float* share, int slots, int experts) {
  __shared__ int counts[256];
  __shared__ int used;
  for (int i = threadIdx.x; i < experts; i += blockDim.x) counts[i] = 0;
  if (threadIdx.x == 0) used = 0;
  __syncthreads();
  for (int slot = threadIdx.x; slot < slots; slot += blockDim.x) {
    int expert = expertIds[slot];
    if (expert >= 0 && expert < experts) atomicAdd(counts + expert, 1);
  }
  __syncthreads();
  for (int i = threadIdx.x; i < experts; i += blockDim.x) atomicAdd(&used, counts[i]);
  __syncthreads();
  for (int i = threadIdx.x; i < experts; i += blockDim.x) {
    share[i] = static_cast<float>(counts[i]) / static_cast<float>(max(used, 1));
  }
}

extern "C" __global__ void __launch_bounds__(256)
    moe_auxiliary_rows(const float* logits, const float* share, float* dLogits, double* parts,
                       int tokens, int experts, float balance, float zWeight) {
  int token = blockIdx.x * 8 + (threadIdx.x >> 5), lane = threadIdx.x & 31;
  if (token >= tokens) return;
  const float* row = logits + static_cast<int64_t>(token) * experts;
  float* dRow = dLogits + static_cast<int64_t>(token) * experts;
  float max = -INFINITY;
  for (int expert = lane; expert < experts; expert += 32) max = fmaxf(max, row[expert]);
  max = moe::warpMax(max);
  double sum = 0.0, shared = 0.0;
  for (int expert = lane; expert < experts; expert += 32) {
    double e = exp(static_cast<double>(row[expert]) - max);
    sum += e;
    shared += share[expert] * e;
  }
  sum = moe::warpSum(sum);
  double mean = moe::warpSum(shared) / sum;
  double logSum = max + log(sum);
  double a = static_cast<double>(balance) * experts / tokens;
  double b = 2.0 * zWeight / tokens;
  for (int expert = lane; expert < experts; expert += 32) {
    double p = exp(static_cast<double>(row[expert]) - max) / sum;
    dRow[expert] = static_cast<float>(p * (a * (share[expert] - mean) + b * logSum));
  }
  if (lane == 0) {
    parts[token] = mean;
    parts[tokens + token] = logSum * logSum;
  }
}

extern "C" __global__ void __launch_bounds__(1024)
    moe_auxiliary_sum(const double* parts, float* losses, int tokens, int experts, float balance,
                      float zWeight) {
  double even = 0.0, square = 0.0;
  for (int token = threadIdx.x; token < tokens; token += blockDim.x) {
    even += parts[token];
    square += parts[tokens + token];
  }
  even = moe::blockSum(even);
  square = moe::blockSum(square);
  if (threadIdx.x == 0) {
    losses[0] = tokens == 0 ? 0.0f : static_cast<float>(balance * experts * even / tokens);
    losses[1] = tokens == 0 ? 0.0f : static_cast<float>(zWeight * square / tokens);
  }
}
