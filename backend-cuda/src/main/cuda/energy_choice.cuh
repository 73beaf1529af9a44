// How a warp chooses and weighs the experts of one token by what they cost: s_e = z_e + β_e − λ·ĉ_e in
// double precision, ĉ_e the cost of a further token at an expert that the batch reads already, else
// of its first. The softmax is over the logits z of the chosen.
#pragma once

#include "numeric.cuh"
#include "reduce.cuh"

namespace moe {

/// λ·ĉ of a first and of a further token at an expert; experts are of one size.
struct Costs {
  double first, further, reading;  // reading = first − further
};

__device__ __forceinline__ Costs costsOf(const float* prices, int experts, double flopsPerByte,
                                         double bytes, double flops) {
  bool known = prices[0] != 0.0f || prices[1] != 0.0f;
  double a = known ? prices[0] : flopsPerByte, b = known ? prices[1] : 1.0;
  double further = b * flops, first = a * bytes + further, mean = 0.0;
  for (int e = 0; e < experts; ++e) mean += first / experts;
  return {first / mean, further / mean, a * bytes / mean};
}

/// How a token chooses.
struct Rules {
  int experts, topK, most, keepTop1;
  double mass;  // 1 for always `most`
};

/// A number whose order is that of scores: above NaN, 1, above what is not open, 0.
__device__ __forceinline__ uint64_t rankOf(double score) {
  int64_t bits = __double_as_longlong(score + 0.0);  // −0 equals 0
  uint64_t rank = bits < 0 ? ~bits : bits | (1ull << 63);
  return score == score ? rank : 1;
}

/// The expert with the largest rank of a warp, of equals the smallest id.
__device__ __forceinline__ int bestOf(uint64_t rank, int expert) {
  unsigned high = rank >> 32, low = rank;
  unsigned most = __reduce_max_sync(~0u, high);
  low = high == most ? low : 0;
  unsigned rest = __reduce_max_sync(~0u, low);
  return __reduce_min_sync(~0u, high == most && low == rest ? expert : 0x7fffffff);
}

/// Chooses for one token, by a warp; tells whether an expert is new that `read` does not have.
/// MINE experts of a lane: lane, lane + 32, …
template <int MINE>
__device__ __forceinline__ bool chooseExperts(const float* row, const float* balance,
                                              const int* read, double first, double further,
                                              const Rules& rules, int* ids) {
  int lane = threadIdx.x & 31;
  uint64_t ranks[MINE];
  float logits[MINE];
  bool fresh = false, unread[MINE];
#pragma unroll
  for (int i = 0; i < MINE; ++i) {
    int expert = lane + i * 32;
    bool open = expert < rules.experts;
    logits[i] = open ? row[expert] : 0.0f;
    unread[i] = open && read != nullptr && !read[expert];
    double score = static_cast<double>(logits[i]) + (open ? balance[expert] : 0.0f);
    ranks[i] = open ? rankOf(score - (unread[i] ? first : further)) : 0;
  }
  bool varies = rules.mass < 1.0;
  float max = -INFINITY;
  double all = 0.0, reached = 0.0;
  if (varies) {
#pragma unroll
    for (int i = 0; i < MINE; ++i) {
      if (ranks[i] != 0) max = fmaxf(max, logits[i]);
    }
    max = warpMax(max);
#pragma unroll
    for (int i = 0; i < MINE; ++i) {
      if (ranks[i] != 0) all += exp(static_cast<double>(logits[i]) - max);
    }
    all = warpSum(all);
  }
  int count = 0;
  while (count < rules.most && (count == 0 || !varies || reached < rules.mass * all)) {
    bool raw = count == 0 && rules.keepTop1;
    uint64_t rank = 0;
    int expert = 0x7fffffff;
#pragma unroll
    for (int i = 0; i < MINE; ++i) {
      uint64_t mine = raw && ranks[i] != 0 ? rankOf(logits[i]) : ranks[i];
      if (mine > rank) {
        rank = mine;
        expert = lane + i * 32;
      }
    }
    int best = bestOf(rank, expert);
    bool isNew = false;
#pragma unroll
    for (int i = 0; i < MINE; ++i) {
      if (best == lane + i * 32) {
        ranks[i] = 0;
        isNew = unread[i];
      }
    }
    fresh |= isNew;
    if (varies) reached += exp(static_cast<double>(row[best]) - max);
    if (lane == 0) ids[count] = best;
    ++count;
  }
  for (int k = count + lane; k < rules.topK; k += 32) ids[k] = -1;
  __syncwarp();
  return __any_sync(~0u, fresh);
}

/// The softmax over the logits of the chosen, by a warp; NaN if any logit is.
__device__ __forceinline__ void weighExperts(const float* row, const int* ids, float* gates,
                                             const Rules& rules) {
  int lane = threadIdx.x & 31;
  bool hasNaN = false;
  for (int e = lane; e < rules.experts; e += 32) hasNaN |= row[e] != row[e];
  hasNaN = __any_sync(~0u, hasNaN);
  float most = -INFINITY;
  for (int k = lane; k < rules.topK; k += 32) {
    if (ids[k] >= 0) most = fmaxf(most, row[ids[k]]);
  }
  most = warpMax(most);
  double sum = 0.0;
  for (int k = lane; k < rules.topK; k += 32) {
    if (ids[k] >= 0) sum += exp(static_cast<double>(row[ids[k]]) - most);
  }
  sum = warpSum(sum);
  for (int k = lane; k < rules.topK; k += 32) {
    double e = ids[k] < 0 ? 0.0 : exp(static_cast<double>(row[ids[k]]) - most) / sum;
    gates[k] = hasNaN && ids[k] >= 0 ? __int_as_float(0x7fc00000) : static_cast<float>(e);
  }
}

}  // namespace moe
