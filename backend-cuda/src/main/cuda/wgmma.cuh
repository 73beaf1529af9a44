// Warpgroup matrix products, D[64 x N] = or += A[64 x 32 bytes] * B[32 bytes x N] of bf16, f16, or float
// read as TF32 (its lower 13 bits are ignored), A and B in shared memory: K contiguous, or
// (…_TRANSPOSED 1; not of float) the 64 rows of A, the N columns of B contiguous.
//
// Type and width are part of the opcode and each sum, up to 128 of them, is an operand of its own, so
// macros write a wrapper for each. PTX ISA, "wgmma.mma_async".
#pragma once

#include <cstdint>

#include "half.cuh"

namespace moe {

/// `start` overwrites, `add` adds to the N/2 accumulators of each thread.
/// @tparam N columns of the product, 8 to 256
template <class T, int N, int LEFT_TRANSPOSED, int RIGHT_TRANSPOSED = 0>
struct Wgmma;

// MOE_AFTER_0_OF_n(X) is X(1) X(2) … X(n - 1): what stands before 0 in a list has no comma.
#define MOE_AFTER_0_OF_4(X) X(1) X(2) X(3)
#define MOE_AFTER_0_OF_8(X) MOE_AFTER_0_OF_4(X) X(4) X(5) X(6) X(7)
#define MOE_AFTER_0_OF_16(X) \
  MOE_AFTER_0_OF_8(X) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)
#define MOE_AFTER_0_OF_32(X) \
  MOE_AFTER_0_OF_16(X) \
  X(16) X(17) X(18) X(19) X(20) X(21) X(22) X(23) X(24) X(25) X(26) X(27) X(28) X(29) X(30) X(31)
#define MOE_AFTER_0_OF_48(X) \
  MOE_AFTER_0_OF_32(X) \
  X(32) X(33) X(34) X(35) X(36) X(37) X(38) X(39) X(40) X(41) X(42) X(43) X(44) X(45) X(46) X(47)
#define MOE_AFTER_0_OF_64(X) \
  MOE_AFTER_0_OF_48(X) \
  X(48) X(49) X(50) X(51) X(52) X(53) X(54) X(55) X(56) X(57) X(58) X(59) X(60) X(61) X(62) X(63)
#define MOE_AFTER_0_OF_80(X) \
  MOE_AFTER_0_OF_64(X) \
  X(64) X(65) X(66) X(67) X(68) X(69) X(70) X(71) X(72) X(73) X(74) X(75) X(76) X(77) X(78) X(79)
#define MOE_AFTER_0_OF_96(X) \
  MOE_AFTER_0_OF_80(X) \
  X(80) X(81) X(82) X(83) X(84) X(85) X(86) X(87) X(88) X(89) X(90) X(91) X(92) X(93) X(94) X(95)
#define MOE_AFTER_0_OF_112(X) \
  MOE_AFTER_0_OF_96(X) X(96) X(97) X(98) X(99) X(100) X(101) X(102) X(103) X(104) X(105) X(106) \
  X(107) X(108) X(109) X(110) X(111)
#define MOE_AFTER_0_OF_128(X) \
  MOE_AFTER_0_OF_112(X) X(112) X(113) X(114) X(115) X(116) X(117) X(118) X(119) X(120) X(121) \
  X(122) X(123) X(124) X(125) X(126) X(127)

// A list of sums as PTX names them, and as operands that are written, or read and written.
#define MOE_NAME(i) ", %" #i
#define MOE_WRITTEN(i) , "=f"(d[i])
#define MOE_READ_AND_WRITTEN(i) , "+f"(d[i])

// The text of one instruction. Operands count on from its sums: A, B and, in TURNS, the transposes; A is
// therefore the number of sums as well.
#define MOE_WGMMA_TEXT(N, KIND, ADDS, A, B, TURNS)                       \
  "{\n.reg .pred add;\nsetp.ne.b32 add, " ADDS ", 0;\n"                  \
  "wgmma.mma_async.sync.aligned.m64n" #N KIND " {%0"                     \
  MOE_AFTER_0_OF_##A(MOE_NAME) "}, %" #A ", %" #B ", add, 1, 1" TURNS ";\n}\n"

#define MOE_WGMMA_16_BITS(T, KIND, N, A, B, LEFT, RIGHT)                                    \
  template <int LEFT_TRANSPOSED, int RIGHT_TRANSPOSED>                                      \
  struct Wgmma<T, N, LEFT_TRANSPOSED, RIGHT_TRANSPOSED> {                                   \
    static __device__ __forceinline__ void start(float* d, uint64_t a, uint64_t b) {        \
      asm volatile(MOE_WGMMA_TEXT(N, KIND, "0", A, B, ", %" #LEFT ", %" #RIGHT)             \
                   : "=f"(d[0]) MOE_AFTER_0_OF_##A(MOE_WRITTEN)                             \
                   : "l"(a), "l"(b), "n"(LEFT_TRANSPOSED), "n"(RIGHT_TRANSPOSED));          \
    }                                                                                       \
    static __device__ __forceinline__ void add(float* d, uint64_t a, uint64_t b) {          \
      asm volatile(MOE_WGMMA_TEXT(N, KIND, "1", A, B, ", %" #LEFT ", %" #RIGHT)             \
                   : "+f"(d[0]) MOE_AFTER_0_OF_##A(MOE_READ_AND_WRITTEN)                    \
                   : "l"(a), "l"(b), "n"(LEFT_TRANSPOSED), "n"(RIGHT_TRANSPOSED));          \
    }                                                                                       \
  };

#define MOE_WGMMA_BF16(N, A, B, LEFT, RIGHT) \
  MOE_WGMMA_16_BITS(bf16, "k16.f32.bf16.bf16", N, A, B, LEFT, RIGHT)

#define MOE_WGMMA_F16(N, A, B, LEFT, RIGHT) \
  MOE_WGMMA_16_BITS(f16, "k16.f32.f16.f16", N, A, B, LEFT, RIGHT)

#define MOE_WGMMA_TF32(N, A, B, LEFT, RIGHT)                                                \
  template <>                                                                               \
  struct Wgmma<float, N, 0, 0> {                                                            \
    static __device__ __forceinline__ void start(float* d, uint64_t a, uint64_t b) {        \
      asm volatile(MOE_WGMMA_TEXT(N, "k8.f32.tf32.tf32", "0", A, B, "")                     \
                   : "=f"(d[0]) MOE_AFTER_0_OF_##A(MOE_WRITTEN)                             \
                   : "l"(a), "l"(b));                                                       \
    }                                                                                       \
    static __device__ __forceinline__ void add(float* d, uint64_t a, uint64_t b) {          \
      asm volatile(MOE_WGMMA_TEXT(N, "k8.f32.tf32.tf32", "1", A, B, "")                     \
                   : "+f"(d[0]) MOE_AFTER_0_OF_##A(MOE_READ_AND_WRITTEN)                    \
                   : "l"(a), "l"(b));                                                       \
    }                                                                                       \
  };

// N, then the numbers of the operands after N/2 sums.
#define MOE_EACH_WIDTH(WGMMA)     \
  WGMMA(8, 4, 5, 6, 7)            \
  WGMMA(16, 8, 9, 10, 11)         \
  WGMMA(32, 16, 17, 18, 19)       \
  WGMMA(64, 32, 33, 34, 35)       \
  WGMMA(96, 48, 49, 50, 51)       \
  WGMMA(128, 64, 65, 66, 67)      \
  WGMMA(160, 80, 81, 82, 83)      \
  WGMMA(192, 96, 97, 98, 99)      \
  WGMMA(224, 112, 113, 114, 115)  \
  WGMMA(256, 128, 129, 130, 131)

MOE_EACH_WIDTH(MOE_WGMMA_BF16)
MOE_EACH_WIDTH(MOE_WGMMA_F16)
MOE_EACH_WIDTH(MOE_WGMMA_TF32)

}  // namespace moe
