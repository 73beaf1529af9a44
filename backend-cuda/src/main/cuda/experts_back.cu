// moe_experts_back: dRows = Wᵀ_e · dOut for the rows of all experts: the gradient of a product of
// experts_down.cu or experts_up.cu with respect to its rows. sm_90a. Algorithm: grouped_gemm.cuh;
// the tensor cores read W transposed, so no transposed copy of it exists.
//
// dOut     bf16 [slots, width]                     in = width, a multiple of 8
// W        bf16 [experts, width, inner]            outWidth = inner, a multiple of 8
// dRows    bf16 or float32 [slots, inner], sorted by expert
//
// Launch, parameters and tensor maps as in experts_down.cu, but the weights' map: {inner,
//   experts·width}, strides {2·inner}, box {64, 64}.
// The weights must be finite: where width is no multiple of 64, some of the next expert's are
//   multiplied by 0.
#include "grouped_gemm.cuh"

#define MOE_EXPERTS_BACK(NAME, N, STAGES, CLUSTER, OUT)                                     \
  extern "C" __global__ void __cluster_dims__(CLUSTER, 1, 1)                                \
      __launch_bounds__(moe::GEMM_THREADS, 1)                                               \
          NAME(const __grid_constant__ CUtensorMap weights,                                 \
               const __grid_constant__ CUtensorMap rows,                                    \
               const __grid_constant__ moe::GroupedGemm args) {                             \
    using Shape = moe::GroupedShape<                                                        \
        moe::bf16, N, STAGES, false, false, CLUSTER, moe::NONE, OUT, true>;                 \
    moe::groupedGemm<Shape>(weights, rows, args);                                           \
  }

MOE_EXPERTS_BACK(moe_experts_back_n128, 128, 6, 2, moe::bf16)
MOE_EXPERTS_BACK(moe_experts_back_n256, 256, 4, 2, moe::bf16)
MOE_EXPERTS_BACK(moe_experts_back_f32_n128, 128, 6, 2, float)
MOE_EXPERTS_BACK(moe_experts_back_f32_n256, 256, 4, 2, float)
