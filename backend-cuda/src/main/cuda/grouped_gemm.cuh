// The matrix product of all experts at once on Hopper: out[row] = act(W_e · in[row] + b_e) for the
// rows of every expert e; bf16, f16 or TF32 in, float32 accumulation.
//
// The weights are the left operand (64 rows of W a warpgroup) and the tokens the columns of the
// product, because a tensor core instruction has 64 rows but any multiple of 8 columns: experts
// have odd numbers of tokens, while dHidden and dModel are round. One kernel so serves one token
// (8 columns, weights streamed) and thousands (256 columns).
//
//   warpgroup 0, 1   consumers: 64 of the tile's 128 weight rows each, all its tokens
//   warpgroup 2      producer: weights by the tensor copy engine; tokens too, or (GATHER) by 16-byte
//                    copies through `assignments`, so that no permuted copy of them ever exists
//
// grouped_tiles.cuh has arguments and tiles, grouped_ring.cuh what the warpgroups share,
// grouped_producer.cuh and grouped_consumer.cuh what they do, grouped_epilogue.cuh its end.
//
// CLUSTER 2: two blocks take neighbouring weight rows and the same tokens; each fetches half of
// the tokens for both. Large products are bound by the way from the L2 otherwise.
//
// Stages of 128 bytes of K go round a ring of barriers. The two consumers never wait for each
// other: while one is in its epilogue, the other has the tensor cores for itself.
//
// GATED: a tile has 64 rows of W_gate and 64 of W_up in turns of 8, so that one thread holds both
// products of an element. The tensor map does it: K, 8 rows, {gate, up}, groups of 8 rows.
//
// Needs: rows of in and of outWidth elements to be multiples of 16 bytes, as tensor maps want strides.
#pragma once

#include "grouped_consumer.cuh"
#include "grouped_producer.cuh"

namespace moe {

/// @param weights, rows tensor maps as the kernels' files say
template <class Shape>
__device__ __forceinline__ void groupedGemm(
    const CUtensorMap& weights, const CUtensorMap& rows, const GroupedGemm& args) {
  extern __shared__ uint8_t unaligned[];
  uint8_t* shared = reinterpret_cast<uint8_t*>(
      (reinterpret_cast<uintptr_t>(unaligned) + 1023) & ~uintptr_t{1023});
  GroupedRing<Shape> ring(shared, weights, rows, args);
  if (threadIdx.x == 0) ring.initialiseBarriers();
  // The plan; otherwise the plan is older than the predecessor.
  if (Shape::GATHER) awaitPredecessor();
  if (threadIdx.x < 32) ring.buildTables();
  __syncthreads();
  if (Shape::CLUSTER > 1) clusterSync();
  if (Shape::GATHER) releaseSuccessor();
  if (threadIdx.x >= CONSUMERS) {
    giveRegisters<40>();
    if (Shape::GATHER) {
      GroupedProducer<Shape>::produceGathered(ring);
    } else if (threadIdx.x == CONSUMERS) {
      GroupedProducer<Shape>::produceCopied(ring);
    }
  } else {
    takeRegisters<232>();
    GroupedConsumer<Shape>::consume(ring);
  }
  if (Shape::CLUSTER > 1) clusterSync();  // nobody leaves while the other may still write to it
}

}  // namespace moe
