// Rows rounded to bf16 on their way to tensor cores, and what happens to rows of bf16 between two
// products. Arithmetic in float32.
//
// moe_round_rows         y[r] = x[r]; columns from `width` to `stride` become 0
// moe_round_sorted       y[positions[t, k]] = x[t]: each token is read once
// moe_sort_rows          the same for x of bf16
// moe_activate_half      hidden = activation(pre)
// moe_activate_half_back d = d ∘ activation′(pre)
// moe_gate_half          hidden = activation(gate) ∘ up
// moe_gate_half_back     dGate = d ∘ up ∘ activation′(gate), dUp = d ∘ activation(gate); may be d
// moe_combine_back_half  dGates[t, k] = ⟨dOut[t], rows[position]⟩, 0 for none;
//   (…_from_f32: rows F32)   dRows[position] = gates[t, k] · dOut[t]
// moe_half_back_bias     db_g += Σ_r dY[r] over the rows of each group
//
// x, dOut, dGates, gates  F32              y, pre, hidden, gate, up, d, dRows, dY  bf16
// positions               I32 [tokens, topK], row of each slot, −1 for none
//
// Launch: block = 256, shared = 0; grid
//   moe_round_rows        min(ceil(rows · stride / 2048), 65535); stride a multiple of 8, `vector` if
//                         x is aligned to 16 bytes and width a multiple of 8
//   moe_round_sorted,     (tokens, ceil(width / 2048)); width a multiple of 8, x aligned to 16 bytes
//     moe_sort_rows
//   elementwise           min(ceil(n / 2048), 65535); n a multiple of 8
//   moe_combine_back_half tokens · topK; width a multiple of 8
//   moe_half_back_bias    (ceil(out / 64), groups), block = (32, 32); out even
#include "dependent.cuh"
#include "numeric.cuh"
#include "reduce.cuh"

namespace moe {

/// 8 numbers of bf16, 16 bytes.
struct Eight {
  float values[8];

  __device__ __forceinline__ static Eight load(const bf16* from) {
    uint4 raw = *reinterpret_cast<const uint4*>(from);
    uint32_t words[4] = {raw.x, raw.y, raw.z, raw.w};
    Eight result;
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      result.values[2 * i] = __uint_as_float(words[i] << 16);
      result.values[2 * i + 1] = __uint_as_float(words[i] & 0xFFFF0000u);
    }
    return result;
  }

  __device__ __forceinline__ static Eight load(const float* from) {
    Eight result;
    *reinterpret_cast<float4*>(result.values) = *reinterpret_cast<const float4*>(from);
    *reinterpret_cast<float4*>(result.values + 4) = *reinterpret_cast<const float4*>(from + 4);
    return result;
  }

  __device__ __forceinline__ void store(bf16* to) const {
    *reinterpret_cast<uint4*>(to) =
        make_uint4(packBf16(values[0], values[1]), packBf16(values[2], values[3]),
                   packBf16(values[4], values[5]), packBf16(values[6], values[7]));
  }
};

/// Hands the index of each 8 of n elements to `work`.
template <class Work>
__device__ __forceinline__ void eachEight(int64_t n, Work work) {
  awaitPredecessor();
  releaseSuccessor();
  for (int64_t i = (static_cast<int64_t>(blockIdx.x) * 256 + threadIdx.x) * 8; i < n;
       i += static_cast<int64_t>(gridDim.x) * 2048) {
    work(i);
  }
}

template <class Row>
__device__ __forceinline__ void sortRows(
    const Row* x, const int* positions, bf16* y, int slots, int topK, int width) {
  awaitPredecessor();
  releaseSuccessor();
  int column = (blockIdx.y * 256 + threadIdx.x) * 8;
  if (column >= width) return;
  Eight eight = Eight::load(x + static_cast<int64_t>(blockIdx.x) * width + column);
  for (int k = 0; k < topK; ++k) {
    int position = positions[static_cast<int64_t>(blockIdx.x) * topK + k];
    if (position >= 0 && position < slots) {
      eight.store(y + static_cast<int64_t>(position) * width + column);
    }
  }
}

template <class Row>
__device__ __forceinline__ void combineBack(
    const float* dOut, const Row* rows, const int* positions, const float* gates, bf16* dRows,
    float* dGates, int slots, int topK, int width) {
  awaitPredecessor();
  releaseSuccessor();
  int slot = blockIdx.x;
  int position = positions[slot];
  if (position < 0 || position >= slots) {
    if (threadIdx.x == 0) dGates[slot] = 0.0f;
    return;
  }
  float gate = gates[slot];
  const float* d = dOut + static_cast<int64_t>(slot / topK) * width;
  int64_t at = static_cast<int64_t>(position) * width;
  float sum = 0.0f;
  for (int i = threadIdx.x * 8; i < width; i += 2048) {
    Eight from = Eight::load(d + i), row = Eight::load(rows + at + i);
#pragma unroll
    for (int j = 0; j < 8; ++j) {
      sum = fmaf(from.values[j], row.values[j], sum);
      from.values[j] *= gate;
    }
    from.store(dRows + at + i);
  }
  sum = blockSum(sum);
  if (threadIdx.x == 0) dGates[slot] = sum;
}

}  // namespace moe

extern "C" __global__ void __launch_bounds__(256)
    moe_round_rows(const float* x, moe::bf16* y, int rows, int width, int stride, int vector) {
  moe::eachEight(static_cast<int64_t>(rows) * stride, [&](int64_t i) {
    if (vector) {
      moe::Eight::load(x + i).store(y + i);
      return;
    }
    int64_t row = i / stride;
    int column = static_cast<int>(i - row * stride);
    moe::Eight eight;
#pragma unroll
    for (int j = 0; j < 8; ++j) {
      eight.values[j] = column + j < width ? x[row * width + column + j] : 0.0f;
    }
    eight.store(y + i);
  });
}

extern "C" __global__ void __launch_bounds__(256)
    moe_round_sorted(const float* x, const int* positions, moe::bf16* y, int slots, int topK,
                     int width) {
  moe::sortRows(x, positions, y, slots, topK, width);
}

extern "C" __global__ void __launch_bounds__(256)
    moe_sort_rows(const moe::bf16* x, const int* positions, moe::bf16* y, int slots, int topK,
                  int width) {
  moe::sortRows(x, positions, y, slots, topK, width);
}

extern "C" __global__ void __launch_bounds__(256)
    moe_activate_half(const moe::bf16* pre, moe::bf16* hidden, int64_t n, int activation) {
  moe::eachEight(n, [&](int64_t i) {
    moe::Eight x = moe::Eight::load(pre + i);
#pragma unroll
    for (int j = 0; j < 8; ++j) x.values[j] = moe::activateExact(activation, x.values[j]);
    x.store(hidden + i);
  });
}

extern "C" __global__ void __launch_bounds__(256)
    moe_activate_half_back(const moe::bf16* pre, moe::bf16* d, int64_t n, int activation) {
  moe::eachEight(n, [&](int64_t i) {
    moe::Eight x = moe::Eight::load(pre + i), y = moe::Eight::load(d + i);
#pragma unroll
    for (int j = 0; j < 8; ++j) y.values[j] *= moe::activationSlope(activation, x.values[j]);
    y.store(d + i);
  });
}

extern "C" __global__ void __launch_bounds__(256)
    moe_gate_half(const moe::bf16* gate, const moe::bf16* up, moe::bf16* hidden, int64_t n,
                  int activation) {
  moe::eachEight(n, [&](int64_t i) {
    moe::Eight x = moe::Eight::load(gate + i), y = moe::Eight::load(up + i);
#pragma unroll
    for (int j = 0; j < 8; ++j) y.values[j] *= moe::activateExact(activation, x.values[j]);
    y.store(hidden + i);
  });
}

extern "C" __global__ void __launch_bounds__(256)
    moe_gate_half_back(const moe::bf16* gate, const moe::bf16* up, const moe::bf16* d,
                       moe::bf16* dGate, moe::bf16* dUp, int64_t n, int activation) {
  moe::eachEight(n, [&](int64_t i) {
    moe::Eight x = moe::Eight::load(gate + i), u = moe::Eight::load(up + i);
    moe::Eight left = moe::Eight::load(d + i), right = left;
#pragma unroll
    for (int j = 0; j < 8; ++j) {
      left.values[j] *= u.values[j] * moe::activationSlope(activation, x.values[j]);
      right.values[j] *= moe::activateExact(activation, x.values[j]);
    }
    left.store(dGate + i);
    right.store(dUp + i);
  });
}

extern "C" __global__ void __launch_bounds__(256)
    moe_combine_back_half(const float* dOut, const moe::bf16* rows, const int* positions,
                          const float* gates, moe::bf16* dRows, float* dGates, int slots, int topK,
                          int width) {
  moe::combineBack(dOut, rows, positions, gates, dRows, dGates, slots, topK, width);
}

extern "C" __global__ void __launch_bounds__(256)
    moe_combine_back_half_from_f32(const float* dOut, const float* rows, const int* positions,
                                   const float* gates, moe::bf16* dRows, float* dGates, int slots,
                                   int topK, int width) {
  moe::combineBack(dOut, rows, positions, gates, dRows, dGates, slots, topK, width);
}

extern "C" __global__ void __launch_bounds__(1024)
    moe_half_back_bias(const moe::bf16* dY, const int* offsets, float* dBias, int rows, int out) {
  __shared__ float parts[2][32][33];
  moe::awaitPredecessor();
  moe::releaseSuccessor();
  int group = blockIdx.y;
  int begin = offsets ? offsets[group] : 0;
  int end = offsets ? offsets[group + 1] : rows;
  int output = blockIdx.x * 64 + threadIdx.x * 2;
  float low = 0.0f, high = 0.0f;
  if (output < out) {
#pragma unroll 4
    for (int row = begin + threadIdx.y; row < end; row += 32) {
      uint32_t pair =
          *reinterpret_cast<const uint32_t*>(dY + static_cast<int64_t>(row) * out + output);
      low += __uint_as_float(pair << 16);
      high += __uint_as_float(pair & 0xFFFF0000u);
    }
  }
  parts[0][threadIdx.y][threadIdx.x] = low;
  parts[1][threadIdx.y][threadIdx.x] = high;
  __syncthreads();
  if (threadIdx.y > 1 || output >= out || begin >= end) return;
  float total = 0.0f;
  for (int y = 0; y < 32; ++y) total += parts[threadIdx.y][y][threadIdx.x];
  dBias[static_cast<int64_t>(group) * out + output + threadIdx.y] += total;
}
