// Products of a warp on tensor cores.
#pragma once

#include <cstdint>

namespace moe {

/// d += a · b of 16 × 16 by 16 × 8 numbers of bf16. Lane l has, of a, rows l / 4 and + 8, columns
/// (l % 4) · 2, + 1 (a0, a1) and those 8 further (a2, a3); of b, the same of its rows, column l / 4;
/// of d, rows l / 4 (d[0], d[1]) and + 8, columns (l % 4) · 2, + 1.
__device__ __forceinline__ void multiplyBf16(
    float (&d)[4], uint32_t a0, uint32_t a1, uint32_t a2, uint32_t a3, uint32_t b0, uint32_t b1) {
#ifdef MOE_EMULATED
  emulatedMmaBf16(d, {a0, a1, a2, a3}, {b0, b1});
#else
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, "
      "{%8, %9}, {%0, %1, %2, %3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "r"(b0), "r"(b1));
#endif
}

/// Four matrices of 8 × 8 numbers of 16 bits in shared memory; lane l gives the address of row l % 8
/// of matrix l / 8, and gets of each row l / 4, columns (l % 4) · 2, + 1; TRANSPOSED: column l / 4, rows
/// (l % 4) · 2, + 1.
template <bool TRANSPOSED>
__device__ __forceinline__ void loadMatrices(uint32_t (&to)[4], const void* row) {
#ifdef MOE_EMULATED
  emulatedLoadMatrices(to, row, TRANSPOSED);
#else
  uint32_t address = static_cast<uint32_t>(__cvta_generic_to_shared(row));
  if constexpr (TRANSPOSED) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
                 : "r"(address)
                 : "memory");
  } else {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
                 : "r"(address)
                 : "memory");
  }
#endif
}

}  // namespace moe
