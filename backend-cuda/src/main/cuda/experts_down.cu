// moe_experts_down: rows = W_down · hidden + b for all experts. sm_90a. Algorithm:
// grouped_gemm.cuh. With splits > 1 (float32 out) each part of K writes its own sums, which
// moe_combine adds in order: small batches so keep all multiprocessors busy, deterministically.
//
// hidden   bf16 [slots, dHidden]                  in = dHidden, a multiple of 8
// W        bf16 [experts, dModel, dHidden]        outWidth = dModel, a multiple of 8
// out      bf16 or float32 [splits, slots, dModel], sorted by expert
//
// With one expert (offsets {0, rows}) this is a dense product.
//
// Launch, parameters and tensor maps as in experts_up.cu: weights {dHidden, experts·dModel},
//   rows {dHidden, slots}.
#include "grouped_gemm.cuh"

#define MOE_EXPERTS_DOWN(NAME, N, STAGES, CLUSTER, OUT)                                     \
  extern "C" __global__ void __cluster_dims__(CLUSTER, 1, 1)                                \
      __launch_bounds__(moe::GEMM_THREADS, 1)                                               \
          NAME(const __grid_constant__ CUtensorMap weights,                                 \
               const __grid_constant__ CUtensorMap rows,                                    \
               const __grid_constant__ moe::GroupedGemm args) {                             \
    using Shape = moe::GroupedShape<                                                        \
        moe::bf16, N, STAGES, false, false, CLUSTER, moe::NONE, OUT>;                       \
    moe::groupedGemm<Shape>(weights, rows, args);                                           \
  }

MOE_EXPERTS_DOWN(moe_experts_down_n128, 128, 6, 2, moe::bf16)
MOE_EXPERTS_DOWN(moe_experts_down_n256, 256, 4, 2, moe::bf16)
MOE_EXPERTS_DOWN(moe_experts_down_f32_n32, 32, 10, 1, float)
MOE_EXPERTS_DOWN(moe_experts_down_f32_n128, 128, 6, 2, float)
MOE_EXPERTS_DOWN(moe_experts_down_f32_n256, 256, 4, 2, float)
