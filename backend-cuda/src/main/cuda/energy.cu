// The router energy-ttt: experts by s_e = z_e + β_e − λ·ĉ_e, and fast weights δ that learn from
// the routing itself. Formulas in double precision, as on the host; see moe.spi.stage.energy.
//
// ĉ falls once a token of the batch has gone to an expert, so tokens choose in their order. A warp
// takes a token: of 32 tokens that choose at once by what is read now, those up to the first that
// reads another expert are right. Each round so ends with one expert more, or 32 tokens on. Once
// all experts are read, tokens no longer depend on each other.
//
// moe_energy_front:   tokens in their order, until all experts are read, or all if they are few;
//                     then front[0] = how many.
// moe_energy_choose:  the tokens behind these, all at once. Nothing where nothing is weighed.
// moe_energy_soft:    p = softmax(z) of each token; one warp a token.
// moe_energy_observe: adds the tokens of a call to a chunk; one block an expert.
// moe_energy_move:    δ ← δ − rate·gradient within a norm, after enough chunks; the gradient is
//                     that of the local objective over the chunk, unless one is given.
//
// logits     F32 [tokens, experts], experts <= 256; balance F32 [experts]: β
// prices     F32 [2]: a and b, joules a byte and an operation; zeros while they are not known
// expertIds  I32 [tokens, topK], best first, -1 where none; gates F32 [tokens, topK]
// p          F64 [tokens, experts]
// fast       F32 [experts]: δ
// chunk      F32 [2 + 3·experts + experts²]: tokens, chunks since the last update; by expert: sum of
//            p, tokens that went there, batches in which some did; sums of p_e·p_j
// progress   F64 [2]: updates, sum of their lengths
//
// Launch: front: block = 1024, grid = 1; choose and soft: block = 256, grid = ceil(tokens / 8);
//   observe: block = 256, grid = experts; move: block = 256, grid = 1.
#include "energy_choice.cuh"
#include "numeric.cuh"
#include "reduce.cuh"

namespace moe {

constexpr int MOST_ROUTED = 256;
constexpr int CHUNK_HEAD = 2;
constexpr int FEW = 128;  // tokens that are not worth a second kernel; as in EnergyTttRouter

}  // namespace moe

extern "C" __global__ void __launch_bounds__(1024)
    moe_energy_front(const float* logits, const float* balance, const float* prices,
                     int* expertIds, float* gates, int* front, int tokens, int experts, int topK,
                     int most, int keepTop1, double lambda, double mass, double flopsPerByte,
                     double bytes, double flops) {
  __shared__ int read[moe::MOST_ROUTED];
  __shared__ int fresh[32];
  __shared__ int unread;
  int warp = threadIdx.x >> 5, lane = threadIdx.x & 31;
  for (int e = threadIdx.x; e < experts; e += blockDim.x) read[e] = 0;
  if (threadIdx.x == 0) unread = experts;
  moe::Costs costs = moe::costsOf(prices, experts, flopsPerByte, bytes, flops);
  moe::Rules rules = {experts, topK, most, keepTop1, mass};
  __syncthreads();
  int from = 0;
  while (from < tokens && (unread > 0 || tokens <= moe::FEW)) {
    int token = from + warp;
    int64_t slot = static_cast<int64_t>(token) * topK;
    bool mine = false;
    if (token < tokens) {
      const float* row = logits + static_cast<int64_t>(token) * experts;
      double first = lambda * costs.first, further = lambda * costs.further;
      mine = experts <= 64 ? moe::chooseExperts<2>(row, balance, read, first, further, rules,
                                                   expertIds + slot)
                           : moe::chooseExperts<8>(row, balance, read, first, further, rules,
                                                   expertIds + slot);
    }
    if (lane == 0) fresh[warp] = mine ? warp : 31;
    __syncthreads();
    // The last token of this round whose choice is right.
    int last = __reduce_min_sync(~0u, fresh[lane]);
    if (warp == last && mine) {
      for (int k = lane; k < topK; k += 32) {
        int expert = expertIds[slot + k];
        if (expert >= 0 && !read[expert]) {
          read[expert] = 1;
          atomicAdd(&unread, -1);
        }
      }
    }
    from += last + 1;
    __syncthreads();
  }
  int done = from < tokens ? from : tokens;
  if (threadIdx.x == 0) *front = done;
  for (int token = warp; token < done; token += 32) {
    int64_t slot = static_cast<int64_t>(token) * topK;
    moe::weighExperts(logits + static_cast<int64_t>(token) * experts, expertIds + slot,
                      gates + slot, rules);
  }
}

extern "C" __global__ void __launch_bounds__(256)
    moe_energy_choose(const float* logits, const float* balance, const float* prices,
                      int* expertIds, float* gates, const int* front, int tokens, int experts,
                      int topK, int most, int keepTop1, double lambda, double mass,
                      double flopsPerByte, double bytes, double flops) {
  int token = blockIdx.x * 8 + (threadIdx.x >> 5), lane = threadIdx.x & 31;
  if (token >= tokens) return;
  double further = 0.0;
  if (lambda > 0.0) {
    if (token < *front) return;
    further = lambda * moe::costsOf(prices, experts, flopsPerByte, bytes, flops).further;
  } else if (mass == 1.0) {
    bool balances = false;
    for (int e = lane; e < experts; e += 32) balances |= balance[e] != 0.0f;
    if (!__any_sync(~0u, balances)) return;
  }
  moe::Rules rules = {experts, topK, most, keepTop1, mass};
  int64_t slot = static_cast<int64_t>(token) * topK;
  const float* row = logits + static_cast<int64_t>(token) * experts;
  if (experts <= 64) {
    moe::chooseExperts<2>(row, balance, nullptr, further, further, rules, expertIds + slot);
  } else {
    moe::chooseExperts<8>(row, balance, nullptr, further, further, rules, expertIds + slot);
  }
  moe::weighExperts(row, expertIds + slot, gates + slot, rules);
}

extern "C" __global__ void __launch_bounds__(256)
    moe_energy_soft(const float* logits, double* p, int tokens, int experts) {
  int token = blockIdx.x * 8 + (threadIdx.x >> 5), lane = threadIdx.x & 31;
  if (token >= tokens) return;
  const float* row = logits + static_cast<int64_t>(token) * experts;
  double* out = p + static_cast<int64_t>(token) * experts;
  float max = -INFINITY;
  for (int e = lane; e < experts; e += 32) max = fmaxf(max, row[e]);
  max = moe::warpMax(max);
  double sum = 0.0;
  for (int e = lane; e < experts; e += 32) sum += exp(static_cast<double>(row[e]) - max);
  sum = moe::warpSum(sum);
  for (int e = lane; e < experts; e += 32) out[e] = exp(static_cast<double>(row[e]) - max) / sum;
}

extern "C" __global__ void __launch_bounds__(256)
    moe_energy_observe(const double* p, const int* expertIds, float* chunk, int tokens,
                       int experts, int slots) {
  __shared__ int went;
  int expert = blockIdx.x, other = threadIdx.x;
  if (threadIdx.x == 0) went = 0;
  __syncthreads();
  for (int slot = threadIdx.x; slot < slots; slot += blockDim.x) {
    if (expertIds[slot] == expert) atomicAdd(&went, 1);
  }
  __syncthreads();
  if (other >= experts) return;
  double sum = 0.0, product = 0.0;
  for (int token = 0; token < tokens; ++token) {
    const double* row = p + static_cast<int64_t>(token) * experts;
    sum += row[expert];
    product += row[expert] * row[other];
  }
  chunk[moe::CHUNK_HEAD + (3 + expert) * experts + other] += static_cast<float>(product);
  if (other != 0) return;
  float* head = chunk + moe::CHUNK_HEAD + expert;
  head[0] += static_cast<float>(sum);
  head[experts] += static_cast<float>(went);
  head[2 * experts] += went > 0 ? 1.0f : 0.0f;
  if (expert == 0) chunk[0] += static_cast<float>(tokens);
}

extern "C" __global__ void __launch_bounds__(256)
    moe_energy_move(const float* given, float* fast, float* chunk, const float* prices,
                    double* progress, int experts, int chunkSize, int every, double lambda,
                    double evenness, double rate, double norm, double flopsPerByte, double bytes,
                    double flops) {
  __shared__ double slope[moe::MOST_ROUTED];
  int e = threadIdx.x;
  bool local = given == nullptr, mine = e < experts;
  float tokens = chunk[0], chunks = chunk[1] + 1.0f;
  if (local && tokens < static_cast<float>(chunkSize)) return;
  bool moves = chunks >= static_cast<float>(every);
  double gradient = mine && !local ? static_cast<double>(given[e]) : 0.0;
  if (local) {
    moe::Costs costs = moe::costsOf(prices, experts, flopsPerByte, bytes, flops);
    double p = 0.0;
    if (mine) {
      const float* head = chunk + moe::CHUNK_HEAD + e;
      p = head[0];
      double went = head[experts], reads = head[2 * experts];
      double cost = costs.further + costs.reading * (went == 0.0 ? 1.0 : reads / went);
      double share = fmax(p / tokens, 2.2250738585072014e-308);
      slope[e] = lambda * cost + evenness * log(experts * share);
    }
    __syncthreads();
    if (mine) {
      const float* products = chunk + moe::CHUNK_HEAD + (3 + e) * experts;
      double mean = 0.0;
      for (int j = 0; j < experts; ++j) mean += products[j] * slope[j];
      gradient = (p * slope[e] - mean) / tokens;
    }
  }
  double moved = mine ? fast[e] - rate * gradient : 0.0;
  double square = moe::blockSum(moved * moved);
  // A gradient that is no number is left out: the loss shows where it comes from.
  if (moves && square < static_cast<double>(INFINITY)) {
    double shrink = fmin(1.0, norm / sqrt(square));
    float next = square == 0.0 ? 0.0f : static_cast<float>(moved * shrink);
    double step = mine ? static_cast<double>(next) - fast[e] : 0.0;
    double way = moe::blockSum(step * step);
    if (mine) fast[e] = next;
    if (e == 0) {
      progress[0] += 1.0;
      progress[1] += sqrt(way);
    }
  }
  __syncthreads();
  if (local) {
    int values = moe::CHUNK_HEAD + 3 * experts + experts * experts;
    for (int i = e; i < values; i += blockDim.x) chunk[i] = 0.0f;
    __syncthreads();
  }
  if (e == 0) chunk[1] = moves ? 0.0f : chunks;
}
