// moe_experts_tf32: out = W · rows + b for all experts, a dense layer with one, in TF32. sm_90a.
// Algorithm: grouped_gemm.cuh. The tensor cores cut off what TF32 lacks, so rows are rounded before
// (round.cu); weights are read as they are: cut to 10 fraction bits, they lose 3.5e-4 on average and
// there is no copy of them. Both operands have K contiguous: there is no transposed one in TF32.
//
// rows     F32 [slots, in], rounded to TF32, in a multiple of 4
// W        F32 [experts, outWidth, in]
// out      F32 [slots, outWidth], sorted by expert
//
// Launch and parameters as in experts_down.cu; tensor maps of float32 in boxes of 32 columns: weights
//   {in, experts·outWidth}, box {32, 128}; rows {in, slots}, box {32, 32}.
#include "grouped_gemm.cuh"

#define MOE_EXPERTS_TF32(NAME, N, STAGES, CLUSTER)                                          \
  extern "C" __global__ void __cluster_dims__(CLUSTER, 1, 1)                                \
      __launch_bounds__(moe::GEMM_THREADS, 1)                                               \
          NAME(const __grid_constant__ CUtensorMap weights,                                 \
               const __grid_constant__ CUtensorMap rows,                                    \
               const __grid_constant__ moe::GroupedGemm args) {                             \
    using Shape = moe::GroupedShape<                                                        \
        float, N, STAGES, false, false, CLUSTER, moe::NONE, float>;                         \
    moe::groupedGemm<Shape>(weights, rows, args);                                           \
  }

MOE_EXPERTS_TF32(moe_experts_tf32_n32, 32, 10, 1)
MOE_EXPERTS_TF32(moe_experts_tf32_n128, 128, 6, 2)
MOE_EXPERTS_TF32(moe_experts_tf32_n256, 256, 4, 2)
