// moe_experts_f16_up and moe_experts_f16_down: the kernels of experts_up.cu and experts_down.cu in
// binary16, sm_90a. What is beyond 65504 becomes infinity. Algorithm: grouped_gemm.cuh.
//
// Arguments, launch, parameters and tensor maps as there, f16 for bf16; the maps may well say bf16,
// since they only copy 16 bits.
#include "grouped_gemm.cuh"

#define MOE_EXPERTS_F16(NAME, N, STAGES, GATED, GATHER, CLUSTER, ACTIVATION, OUT)           \
  extern "C" __global__ void __cluster_dims__(CLUSTER, 1, 1)                                \
      __launch_bounds__(moe::GEMM_THREADS, 1)                                               \
          NAME(const __grid_constant__ CUtensorMap weights,                                 \
               const __grid_constant__ CUtensorMap rows,                                    \
               const __grid_constant__ moe::GroupedGemm args) {                             \
    using Shape = moe::GroupedShape<                                                        \
        moe::f16, N, STAGES, GATED, GATHER, CLUSTER, ACTIVATION, OUT>;                      \
    moe::groupedGemm<Shape>(weights, rows, args);                                           \
  }

MOE_EXPERTS_F16(moe_experts_f16_up_n32, 32, 10, false, true, 1, moe::ANY_ACTIVATION, moe::f16)
MOE_EXPERTS_F16(moe_experts_f16_up_gated_n32, 32, 10, true, true, 1, moe::ANY_ACTIVATION, moe::f16)
MOE_EXPERTS_F16(moe_experts_f16_up_rows_n128, 128, 6, false, false, 2, moe::ANY_ACTIVATION, moe::f16)
MOE_EXPERTS_F16(moe_experts_f16_up_rows_gelu_n256, 256, 4, false, false, 2, moe::GELU, moe::f16)
MOE_EXPERTS_F16(moe_experts_f16_up_rows_gated_n128, 128, 6, true, false, 2, moe::ANY_ACTIVATION, moe::f16)
MOE_EXPERTS_F16(moe_experts_f16_up_rows_gated_silu_n256, 256, 4, true, false, 2, moe::SILU, moe::f16)
MOE_EXPERTS_F16(moe_experts_f16_down_n128, 128, 6, false, false, 2, moe::NONE, moe::f16)
MOE_EXPERTS_F16(moe_experts_f16_down_n256, 256, 4, false, false, 2, moe::NONE, moe::f16)
MOE_EXPERTS_F16(moe_experts_f16_down_f32_n32, 32, 10, false, false, 1, moe::NONE, float)
MOE_EXPERTS_F16(moe_experts_f16_down_f32_n128, 128, 6, false, false, 2, moe::NONE, float)
MOE_EXPERTS_F16(moe_experts_f16_down_f32_n256, 256, 4, false, false, 2, moe::NONE, float)
