// What a grouped product does with the sums of a tile: bias, activation, the way to memory. Algorithm:
// grouped_gemm.cuh.
#pragma once

#include <type_traits>

#include "grouped_ring.cuh"

namespace moe {

/// To about 20 bits, in a few instructions: x · σ(2u) is 0.5 x (1 + tanh(u)) without cancellation.
template <int KIND>
__device__ __forceinline__ float activateFine(float x) {
  if constexpr (KIND == GELU || KIND == SILU) {
    float u = KIND == GELU ? x * fmaf(0.0713548163f, x * x, 1.5957691216f) : x;
    return __fdividef(x, 1.0f + __expf(-u));
  } else {
    return activateFast<KIND>(x);
  }
}

/// The end of a tile in one consumer.
template <class Shape>
class GroupedEpilogue {
  using Ring = GroupedRing<Shape>;
  using T = typename Shape::T;
  using Out = typename Shape::Out;
  static constexpr bool GATED = Shape::GATED;
  static constexpr int OUTPUTS = Shape::OUTPUTS;
  static constexpr int ACTIVATION = Shape::ACTIVATION;

 public:
  /// Bias, activation, store. A thread has weight rows lane / 4 and + 8 of its warp's 16, and of
  /// every 8 tokens two neighbours. If gated, the second row is the partner of the first.
  template <int N>
  static __device__ __forceinline__ void finish(
      Ring& ring, float (&sums)[N / 2], const Tile& tile, int warpgroup) {
    int lane = threadIdx.x & 31;
    int warp = (threadIdx.x >> 5) & 3;
    int firstColumn = warpgroup * (OUTPUTS / 2) + warp * (OUTPUTS / 8);
    int column = tile.firstOutput + firstColumn + (lane >> 2);
    float low = 0.0f, high = 0.0f;  // biases
    if (tile.split == 0) {
      int base = tile.expert * ring.args.outWidth;
      if (GATED) {
        if (column < ring.args.outWidth) {
          if (ring.args.gateBias) low = ring.args.gateBias[base + column];
          if (ring.args.bias) high = ring.args.bias[base + column];
        }
      } else if (ring.args.bias) {
        if (column < ring.args.outWidth) low = ring.args.bias[base + column];
        if (column + 8 < ring.args.outWidth) high = ring.args.bias[base + column + 8];
      }
    }
#pragma unroll
    for (int chunk = 0; chunk * CHUNK < N; ++chunk) {
      constexpr int COUNT = (N < CHUNK ? N : CHUNK) / 2;
      float values[CHUNK / 2] = {};
#pragma unroll
      for (int i = 0; i < COUNT; ++i) values[i] = sums[chunk * (CHUNK / 2) + i];
      activateChunk(ring, values, low, high);
      if constexpr (sizeof(Out) == 4) {
        storeDirect(ring, values, tile, chunk * CHUNK, column);
      } else {
        storeChunk(ring, values, tile, chunk, warpgroup, warp, lane);
      }
    }
  }

 private:
  static __device__ __forceinline__ void activateChunk(
      const Ring& ring, float* values, float low, float high) {
    if constexpr (ACTIVATION != ANY_ACTIVATION) {
      activate<ACTIVATION>(ring, values, low, high);
    } else {
      switch (ring.args.activation) {
        case GELU:
          activate<GELU>(ring, values, low, high);
          break;
        case SILU:
          activate<SILU>(ring, values, low, high);
          break;
        case RELU:
          activate<RELU>(ring, values, low, high);
          break;
        default:
          activate<NONE>(ring, values, low, high);
          break;
      }
    }
  }

  template <int KIND>
  static __device__ __forceinline__ float activation(float x) {
    if constexpr (std::is_same_v<T, bf16>) {
      return activateFast<KIND>(x);
    } else {
      return activateFine<KIND>(x);
    }
  }

  /// If gated, leaves the results where the gate's products were.
  template <int KIND>
  static __device__ __forceinline__ void activate(
      const Ring& ring, float* values, float low, float high) {
#pragma unroll
    for (int i = 0; i < CHUNK / 2; i += 4) {
#pragma unroll
      for (int token = 0; token < 2; ++token) {
        float& a = values[i + token];
        float& b = values[i + token + 2];
        if (GATED) {
          float gate = (ring.args.upFirst ? b : a) + low;
          float up = (ring.args.upFirst ? a : b) + high;
          a = activation<KIND>(gate) * up;
        } else {
          a = activation<KIND>(a + low);
          b = activation<KIND>(b + high);
        }
      }
    }
  }

  /// float32: 8 lanes write 32 bytes of one row, a full sector.
  static __device__ __forceinline__ void storeDirect(
      const Ring& ring, const float* values, const Tile& tile, int firstToken, int column) {
    float* out = static_cast<float*>(ring.args.out) +
                 static_cast<int64_t>(tile.split) * ring.args.slots * ring.args.outWidth;
#pragma unroll
    for (int i = 0; i < CHUNK / 2; ++i) {
      int token = firstToken + (i >> 2) * 8 + (threadIdx.x & 3) * 2 + (i & 1);
      int at = column + ((i & 2) ? 8 : 0);
      if ((!GATED || !(i & 2)) && token < tile.rows && at < ring.args.outWidth) {
        out[static_cast<int64_t>(tile.firstRow + token) * ring.args.outWidth + at] = values[i];
      }
    }
  }

  /// 16 bits: 32 tokens by the warpgroup's outputs are turned over in shared memory and leave in
  /// pieces of 16 bytes, neighbours together.
  static __device__ __forceinline__ void storeChunk(
      Ring& ring, const float* v, const Tile& tile, int chunk, int warpgroup, int warp, int lane) {
    constexpr int PIECES = OUTPUTS / 16;  // of 8 outputs, in a warpgroup's row
    uint32_t buffer = ring.nextChunk(warpgroup);
    if constexpr (GATED) {
      uint32_t address = buffer + piece(lane, warp);
      storeTransposed(address, packHalves<Out>(v[0], v[1]), packHalves<Out>(v[4], v[5]),
                      packHalves<Out>(v[8], v[9]), packHalves<Out>(v[12], v[13]));
    } else {
      int token = (lane >> 4) * 8 + (lane & 7);
      int at = warp * 2 + ((lane >> 3) & 1);
      storeTransposed(buffer + piece(token, at), packHalves<Out>(v[0], v[1]),
                      packHalves<Out>(v[2], v[3]), packHalves<Out>(v[4], v[5]),
                      packHalves<Out>(v[6], v[7]));
      storeTransposed(buffer + piece(token + 16, at), packHalves<Out>(v[8], v[9]),
                      packHalves<Out>(v[10], v[11]), packHalves<Out>(v[12], v[13]),
                      packHalves<Out>(v[14], v[15]));
    }
    // Two buffers: when all have come here again, all have read this one.
    warpgroupSync(1 + warpgroup);
    Out* out = static_cast<Out*>(ring.args.out);
    int thread = threadIdx.x & 127;
#pragma unroll
    for (int i = thread; i < CHUNK * PIECES; i += 128) {
      int token = i / PIECES;
      int at = i % PIECES;
      int column = tile.firstOutput + (warpgroup * PIECES + at) * 8;
      if (chunk * CHUNK + token < tile.rows && column < ring.args.outWidth) {
        int64_t row = tile.firstRow + chunk * CHUNK + token;
        *reinterpret_cast<uint4*>(out + row * ring.args.outWidth + column) =
            *reinterpret_cast<const uint4*>(__cvta_shared_to_generic(buffer + piece(token, at)));
      }
    }
  }

  /// Offset of 8 outputs of a token in a chunk, swizzled so that 8 tokens touch all banks.
  static __device__ __forceinline__ int piece(int token, int at) {
    return GATED ? token * 64 + ((at ^ ((token >> 1) & 3)) << 4)
                 : token * 128 + ((at ^ (token & 7)) << 4);
  }
};

}  // namespace moe
