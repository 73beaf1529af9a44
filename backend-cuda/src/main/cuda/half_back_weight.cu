// moe_half_back_weight: dW_g += Σ_r dY[r] · x[r]ᵀ over the rows of each group, in bf16 on tensor cores
// of any GPU since compute capability 8.0: the gradient of moe_half_linear with respect to its
// weights. Algorithm: half_gemm.cuh; both operands are turned over as ldmatrix reads them. Each
// element is added to once, its rows in ascending order: the same bits every time.
//
// dY       bf16 [rows, out], rows `stride` apart, a multiple of 8
// x        bf16 [rows, in], in a multiple of 8
// offsets  I32 [groups + 1]: the rows of each group; null: one group of `rows`
// dWeight  F32 [groups, out, in], added to
//
// moe_half_back_weight_TILE. Launch: block = 256, shared = halfSharedBytes(TILE),
//   grid = (ceil(in / TILE), ceil(out / TILE), groups). Parameters: HalfBackWeight by value.
#include "dependent.cuh"
#include "half_gemm.cuh"

namespace moe {

struct HalfBackWeight {
  const int* offsets;
  float* dWeight;
  const bf16* dY;
  const bf16* x;
  int rows;
  int in;
  int out;
  int stride;
};

template <int TILE>
__device__ __forceinline__ void halfBackWeight(uint8_t* shared, const HalfBackWeight& args) {
  awaitPredecessor();
  releaseSuccessor();
  int group = blockIdx.z;
  int begin = args.offsets ? args.offsets[group] : 0;
  int end = args.offsets ? args.offsets[group + 1] : args.rows;
  if (begin >= end) return;
  int firstOutput = blockIdx.y * TILE, firstColumn = blockIdx.x * TILE;
  const bf16* dY = args.dY + static_cast<int64_t>(begin) * args.stride;
  const bf16* x = args.x + static_cast<int64_t>(begin) * args.in;
  auto leftOf = [&](int k) { return dY + static_cast<int64_t>(k) * args.stride; };
  auto rightOf = [&](int k) { return x + static_cast<int64_t>(k) * args.in; };
  auto left = halfSteps<TILE>(leftOf, dY, firstOutput, args.stride, end - begin);
  auto right = halfSteps<TILE>(rightOf, x, firstColumn, args.in, end - begin);
  HalfSums<TILE, bf16> sums;
  sums.multiply(shared, left, right, 0, end - begin);
  bool pairs = (reinterpret_cast<uintptr_t>(args.dWeight) & 7) == 0;
  float* matrix = args.dWeight + static_cast<int64_t>(group) * args.out * args.in;
  sums.finish([&](int i, int j, float low, float high) {
    int output = firstOutput + i, column = firstColumn + j;
    if (output >= args.out || column >= args.in) return;
    float* to = matrix + static_cast<int64_t>(output) * args.in + column;
    if (pairs) {
      float2 old = *reinterpret_cast<float2*>(to);
      *reinterpret_cast<float2*>(to) = make_float2(old.x + low, old.y + high);
    } else {
      to[0] += low;
      to[1] += high;
    }
  });
}

}  // namespace moe

#define MOE_HALF_BACK_WEIGHT(NAME, TILE)                                  \
  extern "C" __global__ void __launch_bounds__(256, 2)                    \
      NAME(const __grid_constant__ moe::HalfBackWeight args) {            \
    MOE_DYNAMIC_SHARED(uint4, shared);                                    \
    moe::halfBackWeight<TILE>(reinterpret_cast<uint8_t*>(shared), args);  \
  }

MOE_HALF_BACK_WEIGHT(moe_half_back_weight_64, 64)
MOE_HALF_BACK_WEIGHT(moe_half_back_weight_128, 128)
