// Hopper's asynchronous machinery as functions: barriers in shared memory, tensor copies, fences,
// warpgroup products and dependent launches. PTX ISA 9.0 is the source of every instruction.
#pragma once

#include <cuda.h>
#include <cuda_bf16.h>

#include <cstdint>

#include "dependent.cuh"
#include "wgmma.cuh"

namespace moe {

using bf16 = __nv_bfloat16;

__device__ __forceinline__ uint32_t sharedAddress(const void* pointer) {
  return static_cast<uint32_t>(__cvta_generic_to_shared(pointer));
}

// ---- barriers in shared memory ----

__device__ __forceinline__ void barrierInit(uint32_t barrier, uint32_t arrivals) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(barrier), "r"(arrivals) : "memory");
}

__device__ __forceinline__ void barrierArrive(uint32_t barrier) {
  asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(barrier) : "memory");
}

/// Arrives, and announces bytes that tensor copies will bring.
__device__ __forceinline__ void barrierExpect(uint32_t barrier, uint32_t bytes) {
  asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(barrier), "r"(bytes)
               : "memory");
}

/// Waits for the end of the phase with this parity.
__device__ __forceinline__ void barrierWait(uint32_t barrier, uint32_t parity) {
  asm volatile(
      "{\n.reg .pred done;\n"
      "again:\n"
      "mbarrier.try_wait.parity.shared::cta.b64 done, [%0], %1;\n"
      "@!done bra again;\n}\n" ::"r"(barrier),
      "r"(parity)
      : "memory");
}

/// As barrierWait, and sees what other blocks of the cluster wrote before they arrived.
__device__ __forceinline__ void barrierWaitCluster(uint32_t barrier, uint32_t parity) {
  asm volatile(
      "{\n.reg .pred done;\n"
      "again:\n"
      "mbarrier.try_wait.parity.acquire.cluster.shared::cta.b64 done, [%0], %1;\n"
      "@!done bra again;\n}\n" ::"r"(barrier),
      "r"(parity)
      : "memory");
}

/// Makes barriers just initialised visible to the copy engine.
__device__ __forceinline__ void barrierInitFence() {
  asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
}

/// Orders ordinary writes to shared memory, by this thread or seen by it through a barrier, before
/// reads by tensor cores.
__device__ __forceinline__ void sharedProxyFence() {
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
}

/// A barrier among the 128 threads of one warpgroup; ids 1 to 15.
__device__ __forceinline__ void warpgroupSync(int id) {
  asm volatile("bar.sync %0, 128;" ::"r"(id) : "memory");
}

// ---- copies ----

__device__ __forceinline__ void prefetchMap(const CUtensorMap* map) {
  asm volatile("prefetch.tensormap [%0];" ::"l"(map) : "memory");
}

/// Copies a box of a 2-dimensional tensor to shared memory; the barrier counts the bytes.
__device__ __forceinline__ void copyBox(
    uint32_t target, const CUtensorMap* map, uint32_t barrier, int x, int y) {
  asm volatile(
      "cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes"
      " [%0], [%1, {%3, %4}], [%2];" ::"r"(target),
      "l"(map), "r"(barrier), "r"(x), "r"(y)
      : "memory");
}

/// Copies a box of a 4-dimensional tensor to shared memory; the barrier counts the bytes.
__device__ __forceinline__ void copyBox(
    uint32_t target, const CUtensorMap* map, uint32_t barrier, int x, int y, int z, int w) {
  asm volatile(
      "cp.async.bulk.tensor.4d.shared::cluster.global.tile.mbarrier::complete_tx::bytes"
      " [%0], [%1, {%3, %4, %5, %6}], [%2];" ::"r"(target),
      "l"(map), "r"(barrier), "r"(x), "r"(y), "r"(z), "r"(w)
      : "memory");
}

/// Copies a box to the same place in the shared memory of both blocks of a cluster; the barrier at
/// the same place in each counts the bytes.
__device__ __forceinline__ void copyBoxToBoth(
    uint32_t target, const CUtensorMap* map, uint32_t barrier, int x, int y) {
  asm volatile(
      "cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes"
      ".multicast::cluster [%0], [%1, {%3, %4}], [%2], %5;" ::"r"(target),
      "l"(map), "r"(barrier), "r"(x), "r"(y), "h"(static_cast<uint16_t>(3))
      : "memory");
}

/// Copies 16 bytes to shared memory past the L1, or writes zeros if not `valid`.
__device__ __forceinline__ void copy16(uint32_t target, const void* source, bool valid) {
  int bytes = valid ? 16 : 0;
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(target), "l"(source),
               "r"(bytes)
               : "memory");
}

/// Arrives at a barrier once all 16-byte copies of this thread so far have landed.
__device__ __forceinline__ void arriveAfterCopies(uint32_t barrier) {
  asm volatile("cp.async.mbarrier.arrive.noinc.shared::cta.b64 [%0];" ::"r"(barrier) : "memory");
}

// ---- clusters ----

__device__ __forceinline__ int clusterRank() {
  uint32_t rank;
  asm volatile("mov.u32 %0, %%cluster_ctarank;" : "=r"(rank));
  return static_cast<int>(rank);
}

__device__ __forceinline__ void clusterSync() {
  asm volatile("barrier.cluster.arrive.release;\nbarrier.cluster.wait.acquire;" ::: "memory");
}

/// Arrives at the barrier at this place in another block of the cluster.
__device__ __forceinline__ void barrierArriveAt(uint32_t barrier, int rank) {
  asm volatile(
      "{\n.reg .b32 remote;\n"
      "mapa.shared::cluster.u32 remote, %0, %1;\n"
      "mbarrier.arrive.shared::cluster.b64 _, [remote];\n}\n" ::"r"(barrier),
      "r"(rank)
      : "memory");
}

/// Stores to this place in another block of the cluster, then arrives at its barrier.
__device__ __forceinline__ void postAt(uint32_t address, int value, uint32_t barrier, int rank) {
  asm volatile(
      "{\n.reg .b32 remote;\n"
      "mapa.shared::cluster.u32 remote, %0, %3;\n"
      "st.shared::cluster.s32 [remote], %1;\n"
      "mapa.shared::cluster.u32 remote, %2, %3;\n"
      "mbarrier.arrive.release.cluster.shared::cluster.b64 _, [remote];\n}\n" ::"r"(address),
      "r"(value), "r"(barrier), "r"(rank)
      : "memory");
}

// ---- warpgroup products ----

/// Describes a matrix in shared memory to the tensor cores: rows of 64 bf16 (128 bytes, K
/// contiguous), 16-byte pieces swizzled as the copy engine does, groups of 8 rows 1024 bytes apart.
__device__ __forceinline__ uint64_t swizzledRows(uint32_t address) {
  return (uint64_t{1} << 62) | (uint64_t{1024 >> 4} << 32) | (uint64_t{1} << 16) |
         ((address & 0x3FFFF) >> 4);
}

/// The same memory read the other way: K along the rows of 128 bytes, groups of 64 columns `apart`
/// bytes from each other.
__device__ __forceinline__ uint64_t swizzledColumns(uint32_t address, uint32_t apart) {
  return (uint64_t{1} << 62) | (uint64_t{1024 >> 4} << 32) | (uint64_t{apart >> 4} << 16) |
         ((address & 0x3FFFF) >> 4);
}

__device__ __forceinline__ void wgmmaFence() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }

__device__ __forceinline__ void wgmmaCommit() {
  asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
}

template <int PENDING>
__device__ __forceinline__ void wgmmaWait() {
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(PENDING) : "memory");
}

/// Keeps the compiler from moving uses of accumulators above a wait.
template <int COUNT>
__device__ __forceinline__ void pin(float (&values)[COUNT]) {
#pragma unroll
  for (int i = 0; i < COUNT; ++i) asm volatile("" : "+f"(values[i])::"memory");
}

template <int REGISTERS>
__device__ __forceinline__ void takeRegisters() {
  asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(REGISTERS));
}

template <int REGISTERS>
__device__ __forceinline__ void giveRegisters() {
  asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(REGISTERS));
}

/// Stores four 8x8 matrices of 16-bit values transposed; lane l gives the address of row l % 8 of
/// matrix l / 8.
__device__ __forceinline__ void storeTransposed(
    uint32_t address, uint32_t a, uint32_t b, uint32_t c, uint32_t d) {
  asm volatile(
      "stmatrix.sync.aligned.m8n8.x4.trans.shared.b16 [%0], {%1, %2, %3, %4};" ::"r"(address),
      "r"(a), "r"(b), "r"(c), "r"(d)
      : "memory");
}

}  // namespace moe
