// What a training step does with all parameters of a model at once: gradients to 0, the sum of their
// squares, AdamW (Loshchilov and Hutter, arXiv 1711.05101). A block takes 16384 neighbours of one
// parameter, and finds which by its number.
//
// members   Member [members] in device memory, by firstBlock
// parts     F64 [grid], added in order by moe_sum_of_parts
// factor    F32 [1]: gradients count so much; 0 changes nothing
// schedule  F32 [3]: rate, 1/(1 − beta1^step), 1/(1 − beta2^step)
//
// moe_parameters_zero, moe_parameters_squares, moe_parameters_adamw (28 bytes an element and 2 where
//   there is a rounded copy): block = 256, grid = blocks of all members, shared = 0.
#include "numeric.cuh"
#include "reduce.cuh"

namespace moe {

struct Member {
  float* parameter;
  float* gradient;
  float* first;
  float* second;
  bf16* half;  // the parameter rounded, for tensor cores; or null
  int64_t n;
  float beta1, beta2, epsilon, weightDecay;
  int firstBlock;
  int vector;  // whether 4 neighbours can be loaded at once
};

constexpr int MEMBER_BLOCK = 16384;

/// The member that a block works on, and the elements: [begin, end).
struct Share {
  const Member& member;
  int64_t begin, end;

  __device__ __forceinline__ Share(const Member* members, int count)
      : member(members[find(members, count)]) {
    begin = static_cast<int64_t>(static_cast<int>(blockIdx.x) - member.firstBlock) * MEMBER_BLOCK;
    end = min(begin + static_cast<int64_t>(MEMBER_BLOCK), member.n);
  }

  /// The last that begins at or before this block.
  static __device__ __forceinline__ int find(const Member* members, int count) {
    int low = 0, high = count - 1;
    while (low < high) {
      int middle = (low + high + 1) / 2;
      if (members[middle].firstBlock <= static_cast<int>(blockIdx.x)) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    return low;
  }
};

struct Moments {
  float beta1, beta2, epsilon, weightDecay, rate, correction1, correction2, factor;

  __device__ __forceinline__ void move(float& p, float g, float& m, float& v) const {
    g *= factor;
    m = fmaf(beta1, m, (1.0f - beta1) * g);
    v = fmaf(beta2, v, (1.0f - beta2) * g * g);
    float step = m * correction1 / (sqrtf(v * correction2) + epsilon);
    p -= rate * fmaf(weightDecay, p, step);
  }
};

__device__ __forceinline__ float4 loadFour(const float* from) {
  return *reinterpret_cast<const float4*>(from);
}

__device__ __forceinline__ void storeFour(float* to, float4 value) {
  *reinterpret_cast<float4*>(to) = value;
}

}  // namespace moe

extern "C" __global__ void __launch_bounds__(256)
    moe_parameters_zero(const moe::Member* members, int count) {
  moe::Share share(members, count);
  float* to = share.member.gradient;
  int64_t even = share.member.vector ? share.begin + (share.end - share.begin) / 4 * 4 : share.begin;
  for (int64_t i = share.begin + threadIdx.x * 4; i < even; i += 1024) {
    moe::storeFour(to + i, make_float4(0, 0, 0, 0));
  }
  for (int64_t i = even + threadIdx.x; i < share.end; i += 256) to[i] = 0.0f;
}

extern "C" __global__ void __launch_bounds__(256)
    moe_parameters_squares(const moe::Member* members, double* parts, int count) {
  moe::Share share(members, count);
  const float* from = share.member.gradient;
  int64_t even = share.member.vector ? share.begin + (share.end - share.begin) / 4 * 4 : share.begin;
  double sum = 0.0;
#pragma unroll 4
  for (int64_t i = share.begin + threadIdx.x * 4; i < even; i += 1024) {
    float4 x = moe::loadFour(from + i);
    // A square of float32 is exact in float64.
    double a = x.x, b = x.y, c = x.z, d = x.w;
    sum += (a * a + b * b) + (c * c + d * d);
  }
  for (int64_t i = even + threadIdx.x; i < share.end; i += 256) {
    double x = from[i];
    sum += x * x;
  }
  sum = moe::blockSum(sum);
  if (threadIdx.x == 0) parts[blockIdx.x] = sum;
}

extern "C" __global__ void __launch_bounds__(256)
    moe_parameters_adamw(const moe::Member* members, const float* factor, const float* schedule,
                         int count) {
  float by = *factor;
  if (by == 0.0f) return;
  moe::Share share(members, count);
  const moe::Member& member = share.member;
  moe::Moments moments = {member.beta1, member.beta2, member.epsilon, member.weightDecay,
                          schedule[0],  schedule[1],  schedule[2],    by};
  float *parameter = member.parameter, *first = member.first, *second = member.second;
  const float* gradient = member.gradient;
  moe::bf16* half = member.half;
  int64_t even = member.vector ? share.begin + (share.end - share.begin) / 4 * 4 : share.begin;
#pragma unroll 2
  for (int64_t i = share.begin + threadIdx.x * 4; i < even; i += 1024) {
    float4 p = moe::loadFour(parameter + i), g = moe::loadFour(gradient + i);
    float4 m = moe::loadFour(first + i), v = moe::loadFour(second + i);
    moments.move(p.x, g.x, m.x, v.x);
    moments.move(p.y, g.y, m.y, v.y);
    moments.move(p.z, g.z, m.z, v.z);
    moments.move(p.w, g.w, m.w, v.w);
    moe::storeFour(first + i, m);
    moe::storeFour(second + i, v);
    moe::storeFour(parameter + i, p);
    if (half) {
      *reinterpret_cast<uint2*>(half + i) =
          make_uint2(moe::packBf16(p.x, p.y), moe::packBf16(p.z, p.w));
    }
  }
  for (int64_t i = even + threadIdx.x; i < share.end; i += 256) {
    float p = parameter[i], m = first[i], v = second[i];
    moments.move(p, gradient[i], m, v);
    first[i] = m;
    second[i] = v;
    parameter[i] = p;
    if (half) half[i] = moe::fromFloat<moe::bf16>(p);
  }
}
