// moe_route: the linear router in one kernel: logits = W · x + b in float32, the topK best experts
// of each token by logit + choiceBias, softmax over the logits of these. Of equal scores the smaller
// id wins; NaN counts as the least, so an id is always in range, and it makes all gates of its token
// NaN.
//
// x           F32 [tokens, dModel]
// weight      F32 [experts, dModel]
// bias        F32 [experts] or null
// choiceBias  F32 [experts] or null
// logits      F32 [tokens, experts] or null
// expertIds   I32 [tokens, topK], best first
// gates       F32 [tokens, topK]
// rounded     bf16 [tokens, dModel] or null: x for the products that follow (split and few)
//
// moe_route_split_eN_sS (router_split.cuh): float32 on tensor cores, experts <= N, dModel a multiple of
//   8. A block takes 128 / S tokens; S warps share dModel for each 16 of them. Launch: grid =
//   ceil(tokens · S / 128), block = 256, shared as in class SplitRouter.
// moe_route_f32 (router_f32.cuh): fused multiply-adds in float32, any dModel, experts <= 256. Launch:
//   grid = ceil(tokens / 16), block = 256, shared = 4 · 16 · experts.
// moe_route_few (router_few.cuh): as moe_route_f32 for a handful of tokens, dModel a multiple of 4.
//   Launch: grid = (tokens, ceil(experts / 8)), block = 256, shared = 4 · experts. The last block of a
//   token chooses: partial F32 [tokens, experts], ticket I32 [tokens], 0 before and after.
// topK <= 32. Parameters: RouterArgs by value.
#include "router_choice.cuh"
#include "router_f32.cuh"
#include "router_few.cuh"
#include "router_split.cuh"

#define MOE_ROUTE(NAME, EIGHTS, SLICES)                                       \
  extern "C" __global__ void __launch_bounds__(256)                           \
      NAME(const __grid_constant__ moe::RouterArgs args) {                    \
    moe::routeSplit<EIGHTS, SLICES>(args);                                    \
  }

MOE_ROUTE(moe_route_split_e8_s2, 1, 2)
MOE_ROUTE(moe_route_split_e8_s8, 1, 8)
MOE_ROUTE(moe_route_split_e32_s2, 4, 2)
MOE_ROUTE(moe_route_split_e32_s8, 4, 8)
MOE_ROUTE(moe_route_split_e64_s2, 8, 2)
MOE_ROUTE(moe_route_split_e64_s4, 8, 4)
MOE_ROUTE(moe_route_split_e128_s2, 16, 2)
MOE_ROUTE(moe_route_split_e128_s4, 16, 4)

extern "C" __global__ void __launch_bounds__(256)
    moe_route_few(const __grid_constant__ moe::RouterArgs args) {
  moe::routeFew(args);
}

extern "C" __global__ void __launch_bounds__(256)
    moe_route_f32(const __grid_constant__ moe::RouterArgs args) {
  moe::routeF32(args);
}
