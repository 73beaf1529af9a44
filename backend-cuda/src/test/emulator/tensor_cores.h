// A warp's products on tensor cores, and how it loads matrices for them, number by number: what
// mma.cuh and gemm_tile.cuh call where there is no such instruction.
#pragma once

#include "fibers.h"

/// cvt.rna.tf32: 10 fraction bits are left.
inline float emulatedTf32(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, 4);
  bits = (bits + 0x1000) & ~0x1fffu;
  std::memcpy(&value, &bits, 4);
  return value;
}
struct Half4 { uint32_t words[4]; };
struct Half2 { uint32_t words[2]; };
inline float halfOf(uint32_t pair, int index) {
  uint32_t bits = index ? pair & 0xFFFF0000u : pair << 16;
  float value;
  std::memcpy(&value, &bits, 4);
  return value;
}
inline float binary16Of(uint32_t pair, int index) {
  uint16_t bits = index ? pair >> 16 : pair;
  _Float16 value;
  std::memcpy(&value, &bits, 2);
  return static_cast<float>(value);
}
/// mma.m16n8k16: each register of A and B holds two neighbours of K.
template <auto NUMBER>
void emulatedMma(float (&d)[4], Half4 a, Half2 b) {
  emulated::Warp& warp = emulated::warp();
  int lane = emulated::lane(), group = lane / 4, member = lane % 4 * 2;
  for (int i = 0; i < 2; ++i) {
    for (int half = 0; half < 4; ++half) {
      warp.left[group + half % 2 * 8][member + half / 2 * 8 + i] = NUMBER(a.words[half], i);
    }
    for (int half = 0; half < 2; ++half) {
      warp.right[group][member + half * 8 + i] = NUMBER(b.words[half], i);
    }
  }
  emulated::await(warp.barrier, false);
  for (int i = 0; i < 4; ++i) {
    const float* row = warp.left[group + i / 2 * 8];
    const float* column = warp.right[member + i % 2];
    for (int k = 0; k < 16; ++k) d[i] += row[k] * column[k];
  }
  emulated::await(warp.barrier, false);
}
inline void emulatedMmaBf16(float (&d)[4], Half4 a, Half2 b) { emulatedMma<halfOf>(d, a, b); }
inline void emulatedMmaF16(float (&d)[4], Half4 a, Half2 b) { emulatedMma<binary16Of>(d, a, b); }
/// ldmatrix of four matrices.
inline void emulatedLoadMatrices(uint32_t (&to)[4], const void* row, bool transposed) {
  emulated::Warp& warp = emulated::warp();
  int lane = emulated::lane();
  warp.rows[lane] = row;
  emulated::await(warp.barrier, false);
  for (int matrix = 0; matrix < 4; ++matrix) {
    uint16_t pair[2];
    for (int i = 0; i < 2; ++i) {
      int from = transposed ? lane % 4 * 2 + i : lane / 4;
      int column = transposed ? lane / 4 : lane % 4 * 2 + i;
      std::memcpy(pair + i, static_cast<const char*>(warp.rows[matrix * 8 + from]) + column * 2, 2);
    }
    std::memcpy(to + matrix, pair, 4);
  }
  emulated::await(warp.barrier, false);
}
/// mma.m16n8k8 of TF32.
inline void emulatedMmaTf32(float (&d)[4], const float (&a)[4], const float (&b)[2]) {
  emulated::Warp& warp = emulated::warp();
  int lane = emulated::lane();
  std::memcpy(warp.a[lane], a, sizeof(a));
  std::memcpy(warp.b[lane], b, sizeof(b));
  emulated::await(warp.barrier, false);
  for (int i = 0; i < 4; ++i) {
    int row = lane / 4, column = lane % 4 * 2 + i % 2;
    for (int k = 0; k < 8; ++k) {
      d[i] += warp.a[row * 4 + k % 4][k / 4 * 2 + i / 2] * warp.b[column * 4 + k % 4][k / 4];
    }
  }
  emulated::await(warp.barrier, false);
}
