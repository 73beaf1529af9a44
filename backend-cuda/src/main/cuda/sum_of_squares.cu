// moe_sum_of_squares: out[0] = Σ x², in double precision: parts by blocks, then their sum in order.
//
// x      F32 [n]
// parts  F64 [grid]
//
// moe_sum_of_squares: block = 256, grid = min(ceil(n / 1024), 1024), shared = 0.
// moe_sum_of_parts:   block = 1024, grid = 1, shared = 0; n = the grid before.
#include "numeric.cuh"
#include "reduce.cuh"

extern "C" __global__ void __launch_bounds__(256)
    moe_sum_of_squares(const float* x, double* parts, int64_t n) {
  double sum = 0.0;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * 256 + threadIdx.x; i < n;
       i += static_cast<int64_t>(gridDim.x) * 256) {
    double value = x[i];
    sum += value * value;
  }
  sum = moe::blockSum(sum);
  if (threadIdx.x == 0) parts[blockIdx.x] = sum;
}

extern "C" __global__ void __launch_bounds__(1024)
    moe_sum_of_parts(const double* parts, float* out, int n) {
  double sum = 0.0;
  for (int i = threadIdx.x; i < n; i += 1024) sum += parts[i];
  sum = moe::blockSum(sum);
  if (threadIdx.x == 0) *out = static_cast<float>(sum);
}
