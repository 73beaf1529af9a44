// moe_experts_up: hidden = act(W_up · x + b), or act(W_gate · x + b_gate) ∘ (W_up · x + b_up), for
// all experts. sm_90a. Algorithm: grouped_gemm.cuh.
//
// W        bf16 [experts, dHidden, dModel]        outWidth = dHidden, a multiple of 8
// tokens   bf16 [tokens, dModel], gathered through `assignments`; in = dModel, a multiple of 8
// rows     bf16 [slots, dModel], tokens sorted by moe_scatter_rows, for the `_rows` kernels
// out      bf16 [slots, dHidden], sorted by expert
//
// Gathering suits small batches, sorted rows (clusters of 2 blocks) from about 64 rows an expert.
// Kernels of 256 columns are made for one activation: their registers have no room for a choice.
//
// Launch: grid = multiprocessors (`_rows`: an even number; any is right), block = 384,
//   shared = gemmSharedBytes(N, STAGES, experts), N and STAGES as below.
// Parameters: tensor map of the weights, tensor map of the rows (`_rows` only; otherwise any 128
//   bytes), GroupedGemm by value.
// Tensor maps: bf16, swizzle 128 bytes, L2 promotion 256 bytes, zeros outside.
//   plain weights  {dModel, experts·dHidden}, strides {2·dModel}, box {64, 128}
//   gated weights  {dModel, 8, 2, experts·dHidden/8}, strides {2·dModel, |W_up − W_gate|,
//                  16·dModel} bytes, base the lower of the two (upFirst = 1 if that is W_up),
//                  box {64, 8, 2, 8}
//   rows           {dModel, slots}, strides {2·dModel}, box {64, 32}
#include "grouped_gemm.cuh"

#define MOE_EXPERTS_UP(NAME, N, STAGES, GATED, GATHER, CLUSTER, ACTIVATION)                 \
  extern "C" __global__ void __cluster_dims__(CLUSTER, 1, 1)                                \
      __launch_bounds__(moe::GEMM_THREADS, 1)                                               \
          NAME(const __grid_constant__ CUtensorMap weights,                                 \
               const __grid_constant__ CUtensorMap rows,                                    \
               const __grid_constant__ moe::GroupedGemm args) {                             \
    using Shape = moe::GroupedShape<                                                        \
        moe::bf16, N, STAGES, GATED, GATHER, CLUSTER, ACTIVATION, moe::bf16>;               \
    moe::groupedGemm<Shape>(weights, rows, args);                                           \
  }

MOE_EXPERTS_UP(moe_experts_up_n32, 32, 10, false, true, 1, moe::ANY_ACTIVATION)
MOE_EXPERTS_UP(moe_experts_up_gated_n32, 32, 10, true, true, 1, moe::ANY_ACTIVATION)
MOE_EXPERTS_UP(moe_experts_up_rows_n128, 128, 6, false, false, 2, moe::ANY_ACTIVATION)
MOE_EXPERTS_UP(moe_experts_up_rows_gelu_n256, 256, 4, false, false, 2, moe::GELU)
MOE_EXPERTS_UP(moe_experts_up_rows_gated_n128, 128, 6, true, false, 2, moe::ANY_ACTIVATION)
MOE_EXPERTS_UP(moe_experts_up_rows_gated_silu_n256, 256, 4, true, false, 2, moe::SILU)
