// The experts' networks for a handful of tokens, with no plan: a warp reads a row of weights of the
// expert that the router chose, and the second product adds up a token's experts as it goes, in the
// order of k: the same bits every time.
//
// x          F32 [tokens, dModel]
// expertIds  I32 [tokens, topK]; an id out of range counts for nothing
// gates      F32 [tokens, topK]
// up, gate   F32, BF16 (…_bf16w) or f16 (…_f16w) [experts, dHidden, dModel]; gate null if there is none
// down       the same type, [experts, dModel, dHidden]
// biases     F32 [experts, dHidden], [experts, dModel], or null
// hidden     F32 [tokens · topK, dHidden], not written where an id is out of range
// out        F32 [tokens, dModel]
//
// dModel and dHidden multiples of 4, all tensors aligned to 4 of their elements.
// moe_few_experts_up:   hidden = act(W_up · x + b), or act(W_gate · x + b) ∘ (W_up · x + b).
//   Launch: block = 256, grid = (ceil(dHidden / 8), tokens · topK), shared = 0.
// moe_few_experts_down: out = Σ_k gates · (W_down · hidden + b). 4 warps share a row.
//   Launch: block = 256, grid = (ceil(dModel / 2), tokens), shared = 0. Right behind the first kernel,
//   so that the choice is older than the predecessor; ahead: whether the weights are, too.
#include "dependent.cuh"
#include "few_half.cuh"

namespace moe {

template <class W>
__device__ __forceinline__ void fewUp(
    const float* x, const int* expertIds, const W* up, const W* gate, const float* upBias,
    const float* gateBias, float* hidden, int experts, int topK, int dModel, int dHidden,
    int activation) {
  awaitPredecessor();
  releaseSuccessor();
  int slot = blockIdx.y;
  int output = blockIdx.x * 8 + (threadIdx.x >> 5);
  int expert = expertIds[slot];
  if (expert < 0 || expert >= experts || output >= dHidden) return;
  const float* row = x + static_cast<int64_t>(slot / topK) * dModel;
  int64_t at = static_cast<int64_t>(expert) * dHidden + output;
  float shift = upBias ? upBias[at] : 0.0f, gateShift = gate && gateBias ? gateBias[at] : 0.0f;
  float value = fewProduct(up + at * dModel, row, dModel);
  float gated = gate ? fewProduct(gate + at * dModel, row, dModel) : 0.0f;
  if ((threadIdx.x & 31) != 0) return;
  value += shift;
  if (gate) {
    value *= activateExact(activation, gated + gateShift);
  } else {
    value = activateExact(activation, value);
  }
  hidden[static_cast<int64_t>(slot) * dHidden + output] = value;
}

/// A warp's share of a row of weights of one expert.
template <class W>
struct FewRow {
  const W* row = nullptr;  // null: the slot counts for nothing
  FewWeights<W> first;
  float gate = 0.0f, bias = 0.0f;
};

constexpr int FEW_EXPERTS = 2;  // of a token, whose weights are under way together

template <class W>
__device__ __forceinline__ void fewDown(
    const float* hidden, const int* expertIds, const float* gates, const W* down,
    const float* bias, float* out, int experts, int topK, int dModel, int dHidden, int ahead) {
  __shared__ float parts[8];
  if (!ahead) awaitPredecessor();
  int warp = threadIdx.x >> 5;
  int output = blockIdx.x * 2 + (warp >> 2), first = (warp & 3) * FEW_STEP;
  int64_t firstSlot = static_cast<int64_t>(blockIdx.y) * topK;
  float total = 0.0f;
  for (int base = 0; base < topK; base += FEW_EXPERTS) {
    FewRow<W> rows[FEW_EXPERTS];
#pragma unroll
    for (int i = 0; i < FEW_EXPERTS; ++i) {
      int64_t slot = firstSlot + base + i;
      int expert = base + i < topK && output < dModel ? expertIds[slot] : -1;
      if (expert < 0 || expert >= experts) continue;
      int64_t at = static_cast<int64_t>(expert) * dModel + output;
      rows[i].row = down + at * dHidden;
      rows[i].first.load(rows[i].row, dHidden, first, 4 * FEW_STEP);
      rows[i].gate = gates[slot];
      if (bias && first == 0) rows[i].bias = bias[at];
    }
    if (base == 0) {
      awaitPredecessor();
      releaseSuccessor();
    }
#pragma unroll
    for (int i = 0; i < FEW_EXPERTS; ++i) {
      if (!rows[i].row) continue;
      float value = fewProduct(rows[i].row, hidden + (firstSlot + base + i) * dHidden, dHidden,
                               first, 4 * FEW_STEP, &rows[i].first);
      total = fmaf(rows[i].gate, value + rows[i].bias, total);
    }
  }
  if ((threadIdx.x & 31) == 0) parts[warp] = total;
  __syncthreads();
  if (threadIdx.x >= 2 || blockIdx.x * 2 + threadIdx.x >= dModel) return;
  const float* mine = parts + threadIdx.x * 4;
  out[static_cast<int64_t>(blockIdx.y) * dModel + blockIdx.x * 2 + threadIdx.x] =
      (mine[0] + mine[1]) + (mine[2] + mine[3]);
}

}  // namespace moe

#define MOE_FEW_UP(NAME, W)                                                                      \
  extern "C" __global__ void __launch_bounds__(256) NAME(                                        \
      const float* x, const int* expertIds, const W* up, const W* gate, const float* upBias,     \
      const float* gateBias, float* hidden, int experts, int topK, int dModel, int dHidden,      \
      int activation) {                                                                          \
    moe::fewUp<W>(x, expertIds, up, gate, upBias, gateBias, hidden, experts, topK, dModel,       \
                  dHidden, activation);                                                          \
  }

MOE_FEW_UP(moe_few_experts_up, float)
MOE_FEW_UP(moe_few_experts_up_bf16w, moe::bf16)
MOE_FEW_UP(moe_few_experts_up_f16w, moe::f16)

#define MOE_FEW_DOWN(NAME, W)                                                                    \
  extern "C" __global__ void __launch_bounds__(256) NAME(                                        \
      const float* hidden, const int* expertIds, const float* gates, const W* down,              \
      const float* bias, float* out, int experts, int topK, int dModel, int dHidden,             \
      int ahead) {                                                                               \
    moe::fewDown<W>(hidden, expertIds, gates, down, bias, out, experts, topK, dModel, dHidden,   \
                    ahead);                                                                      \
  }

MOE_FEW_DOWN(moe_few_experts_down, float)
MOE_FEW_DOWN(moe_few_experts_down_bf16w, moe::bf16)
MOE_FEW_DOWN(moe_few_experts_down_f16w, moe::f16)
