// One core for products of bf16 or binary16 on any GPU since compute capability 8.0, dense or of
// all experts: tiles of TILE x TILE on tensor cores (mma.sync), 256 threads, sums in float32.
// Asynchronous copies of 16 bytes bring 32 steps of k at a time into a ring of 4 stages; pieces are
// swizzled, so that ldmatrix reads 8 rows from all banks. Edges are filled with zeros.
//
// An operand is a matrix whose rows (the tile's rows or columns) or whose steps lie contiguous:
//   HalfRows    row(i) + k: rows are contiguous in k, as of W [out, in] in W·x
//   HalfSteps   step(k) + i: steps are contiguous in i, as of W [out, in] in Wᵀ·y
// Rows and steps begin at addresses of 16 bytes and are read in eights.
#pragma once

#include "asynchronous.cuh"
#include "gemm.cuh"
#include "half.cuh"
#include "mma.cuh"

#ifndef MOE_DYNAMIC_SHARED  // the emulation of the tests has its own
#define MOE_DYNAMIC_SHARED(TYPE, NAME) extern __shared__ TYPE NAME[]
#endif

namespace moe {

constexpr int HALF_STEP = 32;   // steps of k in a stage: 64 bytes of a row
constexpr int HALF_STAGES = 4;  // 64 KiB of tiles of 128: all that compute capability 8.6 has is 99
constexpr int HALF_BLOCK = 256;

/// Dynamic shared memory of a kernel.
constexpr int halfSharedBytes(int tile) { return HALF_STAGES * 2 * tile * HALF_STEP * 2; }

// ---- instructions ----

/// As multiplyBf16, of either type.
template <class T>
__device__ __forceinline__ void multiplyHalves(
    float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1);
template <>
__device__ __forceinline__ void multiplyHalves<bf16>(
    float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
  multiplyBf16(d, a[0], a[1], a[2], a[3], b0, b1);
}
template <>
__device__ __forceinline__ void multiplyHalves<f16>(
    float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
#ifdef MOE_EMULATED
  emulatedMmaF16(d, {a[0], a[1], a[2], a[3]}, {b0, b1});
#else
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, "
      "{%8, %9}, {%0, %1, %2, %3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
#endif
}

// ---- operands ----

/// Rows contiguous in k: 64 bytes of each in a stage. A thread always copies from the same rows.
template <int TILE, class T>
struct HalfRows {
  static constexpr bool TRANSPOSED = false;
  static constexpr int COPIES = TILE / 64;
  const T* rows[COPIES];  // null beyond the edge
  const T* any;           // some valid address
  int steps;              // a multiple of 8

  /// @param rowOf i -> address of row i, null beyond the edge
  template <class RowOf>
  __device__ HalfRows(RowOf rowOf, const T* any, int steps) : any(any), steps(steps) {
#pragma unroll
    for (int i = 0; i < COPIES; ++i) rows[i] = rowOf((threadIdx.x >> 2) + i * 64);
  }

  __device__ __forceinline__ void copy(uint8_t* stage, int k) const {
    int piece = threadIdx.x & 3;
    int at = k + piece * 8;
#pragma unroll
    for (int i = 0; i < COPIES; ++i) {
      bool valid = rows[i] && at < steps;
      copyLater(stage + place((threadIdx.x >> 2) + i * 64, piece), valid ? rows[i] + at : any, valid);
    }
  }

  /// Where this lane reads for 16 rows by 16 steps as a left operand.
  __device__ __forceinline__ static int left(int row, int k) {
    int lane = threadIdx.x & 31;
    return place(row + (lane & 15), (k >> 3) + (lane >> 4));
  }

  /// The same as a right operand: two of 8 columns by 16 steps.
  __device__ __forceinline__ static int right(int column, int k) {
    int lane = threadIdx.x & 31;
    return place(column + (lane >> 4) * 8 + (lane & 7), (k >> 3) + (lane >> 3 & 1));
  }

 private:
  /// Two rows share 128 bytes.
  __device__ __forceinline__ static int place(int row, int piece) {
    return row * 64 + ((piece ^ (row >> 1 & 3)) << 4);
  }
};

/// Steps contiguous in the tile's dimension.
/// @tparam StepOf k -> address of element 0 of step k
template <int TILE, class T, class StepOf>
struct HalfSteps {
  static constexpr bool TRANSPOSED = true;
  static constexpr int COPIES = TILE / 64;
  static constexpr int PIECES = TILE / 8;
  StepOf stepOf;
  const T* any;  // some valid address
  int first;     // of the tile
  int extent;    // a multiple of 8
  int steps;

  __device__ __forceinline__ void copy(uint8_t* stage, int k) const {
#pragma unroll
    for (int i = 0; i < COPIES; ++i) {
      int piece = threadIdx.x + i * HALF_BLOCK;
      int step = piece / PIECES, at = first + piece % PIECES * 8;
      bool valid = k + step < steps && at < extent;
      copyLater(stage + place(step, piece % PIECES), valid ? stepOf(k + step) + at : any, valid);
    }
  }

  __device__ __forceinline__ static int left(int row, int k) {
    int lane = threadIdx.x & 31;
    return place(k + (lane >> 4) * 8 + (lane & 7), (row >> 3) + (lane >> 3 & 1));
  }

  __device__ __forceinline__ static int right(int column, int k) {
    int lane = threadIdx.x & 31;
    return place(k + (lane & 15), (column >> 3) + (lane >> 4));
  }

 private:
  __device__ __forceinline__ static int place(int step, int piece) {
    return step * TILE * 2 + ((piece ^ (step & 7)) << 4);
  }
};

template <int TILE, class T, class StepOf>
__device__ __forceinline__ HalfSteps<TILE, T, StepOf> halfSteps(
    StepOf stepOf, const T* any, int first, int extent, int steps) {
  return {stepOf, any, first, extent, steps};
}

// ---- the product ----

/// A thread's part of a tile: 2 x 4 warps of (TILE / 2) x (TILE / 4).
template <int TILE, class T>
class HalfSums {
  static constexpr int ROWS = TILE / 32;     // of 16
  static constexpr int COLUMNS = TILE / 32;  // of 8
  static constexpr int BYTES = TILE * HALF_STEP * 2;  // of an operand in a stage
  float sums[ROWS][COLUMNS][4] = {};

  __device__ __forceinline__ static int firstRow() { return (threadIdx.x >> 7) * (TILE / 2); }
  __device__ __forceinline__ static int firstColumn() {
    return (threadIdx.x >> 5 & 3) * (TILE / 4);
  }

 public:
  /// Adds up the product over the steps from `first` to `last`, `first` a multiple of 32.
  template <class Left, class Right>
  __device__ __forceinline__ void multiply(
      uint8_t* shared, const Left& left, const Right& right, int first, int last) {
    int stages = (last - first + HALF_STEP - 1) / HALF_STEP;
#pragma unroll
    for (int i = 0; i < HALF_STAGES - 1; ++i) {
      if (i < stages) copy(shared, left, right, i, first);
      endCopies();
    }
    for (int i = 0; i < stages; ++i) {
      awaitCopies<HALF_STAGES - 2>();
      // One barrier a stage: all have then copied this one, and have left the last, which the next
      // copies overwrite.
      __syncthreads();
      int next = i + HALF_STAGES - 1;
      if (next < stages) copy(shared, left, right, next, first);
      endCopies();
      multiplyStage<Left, Right>(shared + i % HALF_STAGES * 2 * BYTES);
    }
  }

  /// Hands pairs of neighbours to `store(i, j, low, high)`, those beyond the edges too.
  template <class Store>
  __device__ __forceinline__ void finish(Store store) const {
#pragma unroll
    for (int r = 0; r < ROWS; ++r) {
#pragma unroll
      for (int c = 0; c < COLUMNS; ++c) {
#pragma unroll
        for (int half = 0; half < 2; ++half) {
          store(row(r, half), firstColumn() + c * 8 + member(), sums[r][c][half * 2],
                sums[r][c][half * 2 + 1]);
        }
      }
    }
  }

  /// The same for columns in turns of 8 of each of two matrices: `store(i, j, a, b)` with j of each.
  template <class Store>
  __device__ __forceinline__ void finishTurns(Store store) const {
#pragma unroll
    for (int r = 0; r < ROWS; ++r) {
#pragma unroll
      for (int c = 0; c < COLUMNS; c += 2) {
#pragma unroll
        for (int i = 0; i < 4; ++i) {
          store(row(r, i >> 1), firstColumn() / 2 + c * 4 + member() + (i & 1), sums[r][c][i],
                sums[r][c + 1][i]);
        }
      }
    }
  }

 private:
  __device__ __forceinline__ static int row(int r, int half) {
    return firstRow() + r * 16 + half * 8 + ((threadIdx.x & 31) >> 2);
  }

  __device__ __forceinline__ static int member() { return (threadIdx.x & 3) * 2; }

  template <class Left, class Right>
  __device__ __forceinline__ static void copy(
      uint8_t* shared, const Left& left, const Right& right, int index, int first) {
    uint8_t* stage = shared + index % HALF_STAGES * 2 * BYTES;
    left.copy(stage, first + index * HALF_STEP);
    right.copy(stage + BYTES, first + index * HALF_STEP);
  }

  template <class Left, class Right>
  __device__ __forceinline__ void multiplyStage(const uint8_t* stage) {
#pragma unroll
    for (int k = 0; k < HALF_STEP; k += 16) {
      uint32_t a[ROWS][4], b[COLUMNS / 2][4];
#pragma unroll
      for (int r = 0; r < ROWS; ++r) {
        loadMatrices<Left::TRANSPOSED>(a[r], stage + Left::left(firstRow() + r * 16, k));
      }
#pragma unroll
      for (int c = 0; c < COLUMNS / 2; ++c) {
        loadMatrices<Right::TRANSPOSED>(b[c], stage + BYTES + Right::right(firstColumn() + c * 16, k));
      }
#pragma unroll
      for (int r = 0; r < ROWS; ++r) {
#pragma unroll
        for (int c = 0; c < COLUMNS; ++c) {
          multiplyHalves<T>(sums[r][c], a[r], b[c / 2][c % 2 * 2], b[c / 2][c % 2 * 2 + 1]);
        }
      }
    }
  }
};

/// Two neighbours of a row of `width`, to float32 or to T.
template <class T>
__device__ __forceinline__ void storeHalves(
    void* out, bool floats, int64_t row, int column, int width, float low, float high) {
  if (column >= width) return;
  int64_t at = row * width + column;
  bool both = column + 1 < width;
  bool pairs = width % 2 == 0 && (reinterpret_cast<uintptr_t>(out) & (floats ? 7 : 3)) == 0;
  if (floats) {
    float* to = static_cast<float*>(out) + at;
    if (pairs) {
      *reinterpret_cast<float2*>(to) = make_float2(low, high);
    } else {
      to[0] = low;
      if (both) to[1] = high;
    }
  } else {
    T* to = static_cast<T*>(out) + at;
    if (pairs) {
      *reinterpret_cast<uint32_t*>(to) = packHalves<T>(low, high);
    } else {
      to[0] = fromFloat<T>(low);
      if (both) to[1] = fromFloat<T>(high);
    }
  }
}

}  // namespace moe
