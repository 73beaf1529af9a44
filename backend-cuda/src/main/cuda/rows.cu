// Rows taken from their tokens and given back: the plain loop over experts, and the combination of
// experts' rows with its gradient. Every output row is written by one block, in a fixed order.
//
// assignments  I32 [n], each token · topK + k
// positions    I32 [tokens, topK], row of each assignment, −1 for none
//
// moe_gather_rows            out[i] = x[assignments[i] / topK]                     grid = n
// moe_scatter_to_tokens      out[a / topK] += gates[a] · values[i]; gates null: 1  grid = n
// moe_scatter_back           dValues[i] = gates[a] · dOut[a / topK], dGates[a] = ⟨dOut, values[i]⟩
//                            dValues may be values                                 grid = n
// moe_gather_sum             out[t] = Σ_k gates[t, k] · rows[position]; gates null: 1;
//                            added to out if `accumulate`                          grid = tokens
// moe_gather_sum_back        dGates[t, k] = ⟨dOut[t], rows[position]⟩, 0 for none;
//                            dRows[position] = gates[t, k] · dOut[t]; may be rows  grid = tokens·topK
// Launch: block = 256, shared = 0. An assignment or position out of range is skipped.
#include "numeric.cuh"
#include "reduce.cuh"

extern "C" __global__ void __launch_bounds__(256)
    moe_gather_rows(const float* x, const int* assignments, float* out, int tokens, int topK,
                    int width) {
  int token = assignments[blockIdx.x] / topK;
  if (token < 0 || token >= tokens) return;
  const float* from = x + static_cast<int64_t>(token) * width;
  float* to = out + static_cast<int64_t>(blockIdx.x) * width;
  for (int i = threadIdx.x; i < width; i += 256) to[i] = from[i];
}

extern "C" __global__ void __launch_bounds__(256)
    moe_scatter_to_tokens(const float* values, const int* assignments, const float* gates,
                          float* out, int tokens, int topK, int width) {
  int slot = assignments[blockIdx.x];
  int token = slot / topK;
  if (slot < 0 || token >= tokens) return;
  float gate = gates ? gates[slot] : 1.0f;
  const float* from = values + static_cast<int64_t>(blockIdx.x) * width;
  float* to = out + static_cast<int64_t>(token) * width;
  for (int i = threadIdx.x; i < width; i += 256) to[i] = fmaf(gate, from[i], to[i]);
}

extern "C" __global__ void __launch_bounds__(256)
    moe_scatter_back(const float* dOut, const float* values, const int* assignments,
                     const float* gates, float* dValues, float* dGates, int tokens, int topK,
                     int width) {
  int slot = assignments[blockIdx.x];
  int token = slot / topK;
  if (slot < 0 || token >= tokens) return;
  float gate = gates[slot];
  const float* d = dOut + static_cast<int64_t>(token) * width;
  int64_t at = static_cast<int64_t>(blockIdx.x) * width;
  float sum = 0.0f;
  for (int i = threadIdx.x; i < width; i += 256) {
    float value = values[at + i], from = d[i];
    sum = fmaf(from, value, sum);
    dValues[at + i] = gate * from;
  }
  sum = moe::blockSum(sum);
  if (threadIdx.x == 0) dGates[slot] = sum;
}

extern "C" __global__ void __launch_bounds__(256)
    moe_gather_sum(const float* rows, const int* positions, const float* gates, float* out,
                   int slots, int topK, int width, int accumulate) {
  int64_t firstSlot = static_cast<int64_t>(blockIdx.x) * topK;
  float* to = out + static_cast<int64_t>(blockIdx.x) * width;
  for (int i = threadIdx.x; i < width; i += 256) {
    float sum = accumulate ? to[i] : 0.0f;
    for (int k = 0; k < topK; ++k) {
      int position = positions[firstSlot + k];
      if (position < 0 || position >= slots) continue;
      float gate = gates ? gates[firstSlot + k] : 1.0f;
      sum = fmaf(gate, rows[static_cast<int64_t>(position) * width + i], sum);
    }
    to[i] = sum;
  }
}

extern "C" __global__ void __launch_bounds__(256)
    moe_gather_sum_back(const float* dOut, const float* rows, const int* positions,
                        const float* gates, float* dRows, float* dGates, int slots, int topK,
                        int width) {
  int slot = blockIdx.x;
  int position = positions[slot];
  if (position < 0 || position >= slots) {
    if (threadIdx.x == 0) dGates[slot] = 0.0f;
    return;
  }
  float gate = gates[slot];
  const float* d = dOut + static_cast<int64_t>(slot / topK) * width;
  int64_t at = static_cast<int64_t>(position) * width;
  float sum = 0.0f;
  for (int i = threadIdx.x; i < width; i += 256) {
    float from = d[i];
    sum = fmaf(from, rows[at + i], sum);
    dRows[at + i] = gate * from;
  }
  sum = moe::blockSum(sum);
  if (threadIdx.x == 0) dGates[slot] = sum;
}
