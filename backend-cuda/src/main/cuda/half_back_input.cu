// moe_half_back_input: dX[r] = W_gᵀ · dY[r] for the rows of all groups, in bf16 on tensor cores of any
// GPU since compute capability 8.0: the gradient of moe_half_linear with respect to its rows.
// Algorithm: half_gemm.cuh; W is turned over as ldmatrix reads it.
//
// dY       bf16 [rows, out], rows `stride` apart, a multiple of 8; what is between them is 0
// offsets  I32 [groups + 1]: the rows of each group; null: one group of `rows`
// weight   bf16 [groups, out, in], in a multiple of 8
// dX       F32 or bf16 [rows, in]
//
// moe_half_back_input_TILE. Launch: block = 256, shared = halfSharedBytes(TILE),
//   grid = (ceil(rows / TILE) + (offsets ? groups : 0), ceil(in / TILE)). Parameters: HalfBackInput by
//   value.
#include "dependent.cuh"
#include "half_gemm.cuh"

namespace moe {

struct HalfBackInput {
  const int* offsets;
  const bf16* dY;
  const bf16* weight;
  void* dX;
  int groups;
  int rows;
  int in;
  int out;
  int stride;
  int floats;  // whether dX is F32
};

template <int TILE>
__device__ __forceinline__ void halfBackInput(uint8_t* shared, const HalfBackInput& args) {
  awaitPredecessor();
  releaseSuccessor();
  GroupTile tile = groupTile(args.offsets, args.groups, args.rows, TILE, blockIdx.x);
  if (tile.count <= 0) return;
  int firstColumn = blockIdx.y * TILE;
  const bf16* matrix = args.weight + static_cast<int64_t>(tile.group) * args.out * args.in;
  HalfRows<TILE, bf16> left(
      [&](int i) -> const bf16* {
        return i < tile.count ? args.dY + static_cast<int64_t>(tile.first + i) * args.stride : nullptr;
      },
      args.dY, args.stride);
  auto stepOf = [&](int k) { return matrix + static_cast<int64_t>(k) * args.in; };
  auto right = halfSteps<TILE>(stepOf, matrix, firstColumn, args.in, args.out);
  HalfSums<TILE, bf16> sums;
  sums.multiply(shared, left, right, 0, args.out);
  sums.finish([&](int i, int j, float low, float high) {
    if (i >= tile.count) return;
    storeHalves<bf16>(args.dX, args.floats, tile.first + i, firstColumn + j, args.in, low, high);
  });
}

}  // namespace moe

#define MOE_HALF_BACK_INPUT(NAME, TILE)                                   \
  extern "C" __global__ void __launch_bounds__(256, 2)                    \
      NAME(const __grid_constant__ moe::HalfBackInput args) {             \
    MOE_DYNAMIC_SHARED(uint4, shared);                                    \
    moe::halfBackInput<TILE>(reinterpret_cast<uint8_t*>(shared), args);   \
  }

MOE_HALF_BACK_INPUT(moe_half_back_input_64, 64)
MOE_HALF_BACK_INPUT(moe_half_back_input_128, 128)
