// What a captured step decides by itself, so that nobody waits for the device in its middle.
//
// moe_step_limit:   norm = √Σ squares; factor[0] = limit / norm where that is below 1, else 1. If
//                   the norm or a loss is no finite number, factor[0] and schedule[0], the rate of
//                   AdamW, become 0. A limit of 0 is none; a factor of 0 stays 0.
// moe_step_advance: history[position[0]] = value[0], if there is room; then ++position[0].
//
// squares  F32 [n], losses F32 [m], factor F32 [1], schedule F32 [3]
// position, value  I32 [1]; history I32 [length]
//
// Launch: limit: block = 1024, grid = 1; advance: block = 32, grid = 1.
#include "dependent.cuh"
#include "numeric.cuh"
#include "reduce.cuh"

extern "C" __global__ void __launch_bounds__(1024)
    moe_step_limit(const float* squares, const float* losses, float* factor, float* schedule, int n,
                   int m, float limit) {
  double sum = 0.0, wrong = 0.0;
  for (int i = threadIdx.x; i < n; i += blockDim.x) sum += squares[i];
  for (int i = threadIdx.x; i < m; i += blockDim.x) {
    if (!(fabsf(losses[i]) < INFINITY)) wrong += 1.0;
  }
  sum = moe::blockSum(sum);
  wrong = moe::blockSum(wrong);
  if (threadIdx.x != 0) return;
  double norm = sqrt(sum);
  if (*factor == 0.0f || wrong > 0.0 || !(norm < static_cast<double>(INFINITY))) {
    *factor = 0.0f;
    schedule[0] = 0.0f;
  } else {
    // At least the least normal number: 0 is for steps that change nothing.
    *factor = limit > 0.0f && norm > limit ? fmaxf(static_cast<float>(limit / norm), 1e-37f) : 1.0f;
  }
}

extern "C" __global__ void __launch_bounds__(32)
    moe_step_advance(int* position, const int* value, int* history, int length) {
  moe::awaitPredecessor();
  moe::releaseSuccessor();
  if (threadIdx.x != 0) return;
  int at = *position;
  if (at >= 0 && at < length) history[at] = *value;
  *position = at + 1;
}
