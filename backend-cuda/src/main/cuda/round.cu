// Float32 numbers rounded on their way to tensor cores: to binary16, where what is beyond 65504 becomes
// infinity, or to TF32, float32 with 10 fraction bits.
//
// moe_round_f16          y[i] = x[i], i < n
// moe_round_gathered_T   y[r] = x[assignments[r] / topK], or x[r] without assignments; zeros where
//                        that is no token
//
// x            F32 [n] or [tokens, width]
// y            f16, or F32 of TF32, [n] or [rows, width]
// assignments  I32 [rows] or null
//
// Launch: block = 256, shared = 0; grid
//   moe_round_f16       min(ceil(n / 1024), 65535)
//   moe_round_gathered  (rows, ceil(width / 1024)); width a multiple of 4, y aligned to 4 of its
//                       elements; `vector` if x is, too
#include "dependent.cuh"
#include "gemm.cuh"
#include "half.cuh"

namespace moe {

__device__ __forceinline__ void storeRounded(float4 v, f16* to) {
  *reinterpret_cast<uint2*>(to) = make_uint2(packHalves<f16>(v.x, v.y), packHalves<f16>(v.z, v.w));
}

__device__ __forceinline__ void storeRounded(float4 v, float* to) {
  *reinterpret_cast<float4*>(to) = roundTf32(v);
}

template <class T>
__device__ __forceinline__ void roundGathered(
    const float* x, const int* assignments, T* y, int tokens, int topK, int width, int vector) {
  awaitPredecessor();
  releaseSuccessor();
  int column = (blockIdx.y * 256 + threadIdx.x) * 4;
  if (column >= width) return;
  int token = assignments ? assignments[blockIdx.x] / topK : blockIdx.x;
  bool there = token >= 0 && token < tokens;
  const float* from = x + static_cast<int64_t>(there ? token : 0) * width + column;
  storeRounded(load4(from, there ? 4 : 0, vector), y + static_cast<int64_t>(blockIdx.x) * width + column);
}

}  // namespace moe

extern "C" __global__ void __launch_bounds__(256)
    moe_round_f16(const float* x, moe::f16* y, int64_t n) {
  moe::awaitPredecessor();
  moe::releaseSuccessor();
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * 256 + threadIdx.x; i < n;
       i += static_cast<int64_t>(gridDim.x) * 256) {
    y[i] = moe::fromFloat<moe::f16>(x[i]);
  }
}

#define MOE_ROUND_GATHERED(NAME, T)                                                         \
  extern "C" __global__ void __launch_bounds__(256)                                         \
      NAME(const float* x, const int* assignments, T* y, int tokens, int topK, int width,   \
           int vector) {                                                                    \
    moe::roundGathered<T>(x, assignments, y, tokens, topK, width, vector);                  \
  }

MOE_ROUND_GATHERED(moe_round_gathered_f16, moe::f16)
MOE_ROUND_GATHERED(moe_round_gathered_tf32, float)
