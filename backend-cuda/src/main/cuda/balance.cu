// Moves the biases that keep the load of experts even, in all layers at once: β_e += γ·sign(mean
// load − load_e) (Wang et al., arXiv 2408.15664), in whole numbers, so that it is exact.
//
// moe_balance_count: load[layer][e] += assignments of expert e.
// moe_balance_move:  moves the biases by all that was counted, and counts from 0 again. A factor of
//                    0 moves nothing.
//
// layers  BalancedLayer [layers] in device memory
// load    I32 [sum of experts], a layer from firstLoad on
// factor  F32 [1]
//
// Launch: count: block = 512, grid = ceil(most slots of a layer / 4096) x layers; move: block = 256,
// grid = layers.
#include <cstdint>

#include "reduce.cuh"

namespace moe {

struct BalancedLayer {
  const int* expertIds;  // I32 [slots]; -1 for an unused slot, as is any id out of range
  float* bias;           // F32 [experts]
  int slots;
  int experts;
  int firstLoad;
  int unused;
};

constexpr int BALANCE_SLOTS = 4096;
constexpr int BALANCE_EXPERTS = 1024;  // that are counted in one go through the slots

}  // namespace moe

extern "C" __global__ void __launch_bounds__(512)
    moe_balance_count(const moe::BalancedLayer* layers, int* load) {
  __shared__ int counts[moe::BALANCE_EXPERTS];
  const moe::BalancedLayer& layer = layers[blockIdx.y];
  int begin = blockIdx.x * moe::BALANCE_SLOTS, end = min(begin + moe::BALANCE_SLOTS, layer.slots);
  for (int first = 0; first < layer.experts; first += moe::BALANCE_EXPERTS) {
    int here = min(moe::BALANCE_EXPERTS, layer.experts - first);
    for (int i = threadIdx.x; i < here; i += blockDim.x) counts[i] = 0;
    __syncthreads();
    for (int slot = begin + threadIdx.x; slot < end; slot += blockDim.x) {
      int expert = layer.expertIds[slot] - first;
      if (expert >= 0 && expert < here) atomicAdd(counts + expert, 1);
    }
    __syncthreads();
    for (int i = threadIdx.x; i < here; i += blockDim.x) {
      // Sums of whole numbers are the same in any order.
      if (counts[i] > 0) atomicAdd(load + layer.firstLoad + first + i, counts[i]);
    }
    __syncthreads();
  }
}

extern "C" __global__ void __launch_bounds__(256)
    moe_balance_move(const moe::BalancedLayer* layers, int* load, const float* factor, float rate) {
  const moe::BalancedLayer& layer = layers[blockIdx.x];
  int* own = load + layer.firstLoad;
  double counted = 0.0;
  for (int i = threadIdx.x; i < layer.experts; i += blockDim.x) counted += own[i];
  int64_t total = static_cast<int64_t>(moe::blockSum(counted));
  bool moves = *factor != 0.0f;
  for (int i = threadIdx.x; i < layer.experts; i += blockDim.x) {
    int64_t above = static_cast<int64_t>(own[i]) * layer.experts - total;
    if (moves && above != 0) layer.bias[i] -= above > 0 ? rate : -rate;
    own[i] = 0;
  }
}
