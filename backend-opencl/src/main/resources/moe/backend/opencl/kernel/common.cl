// What all kernels begin with. Given by the host: GROUP work-items share a row, WIDTH floats are a
// step along a row (16 on processors, 1 elsewhere), STRETCH elements are a work-item's where rows do not
// matter, TILE_ROWS rows of weights make a processor's tile.
//
// A tensor is two arguments: a buffer, and the element where it begins. A null buffer is "none".

#define FLOATS const __global float* restrict
#define INTS const __global int* restrict
#define RESULT __global float* restrict

#define NONE 0
#define GELU 1
#define SILU 2
#define RELU 3

// ---- Steps along a row ---------------------------------------------------------------------------

// A step is WIDTH floats, of which the last of a row may lack some.
#if WIDTH == 16
typedef float16 wide;
inline wide take(const __global float* from, long left, float missing) {
  if (left >= 16) {
    return vload16(0, from);
  }
  float some[16];
  for (int i = 0; i < 16; i++) {
    some[i] = i < left ? from[i] : missing;
  }
  return vload16(0, some);
}
inline void put(wide value, __global float* to, long left) {
  if (left >= 16) {
    vstore16(value, 0, to);
    return;
  }
  float some[16];
  vstore16(value, 0, some);
  for (int i = 0; i < left; i++) {
    to[i] = some[i];
  }
}
inline float total(wide v) {
  float8 a = v.lo + v.hi;
  float4 b = a.lo + a.hi;
  float2 c = b.lo + b.hi;
  return c.lo + c.hi;
}
inline float largest(wide v) {
  float8 a = fmax(v.lo, v.hi);
  float4 b = fmax(a.lo, a.hi);
  float2 c = fmax(b.lo, b.hi);
  return fmax(c.lo, c.hi);
}
#else
typedef float wide;
#define take(from, left, missing) (*(from))
#define put(value, to, left) (*(to) = (value))
#define total(v) (v)
#define largest(v) (v)
#endif

// The steps of a row that this work-item of the group takes.
#define STEPS(i, n) for (int i = get_local_id(0) * WIDTH; i < (n); i += GROUP * WIDTH)

// The steps of `n` elements that this work-item takes, of all work-items.
#define ELEMENTS(i, n)                                                                  \
  for (long i = (long)get_global_id(0) * STRETCH, end = min((long)(n), i + STRETCH); i < end; i += WIDTH)

// ---- Sums over a group, in an order that depends on GROUP alone ----------------------------------

#if GROUP == 1
#define group_sum(v, scratch) (v)
#define group_max(v, scratch) (v)
#define SHARE(name)
#else
#define SHARE(name) __local float name[GROUP]
inline float group_sum(float v, __local float* scratch) {
  int item = get_local_id(0);
  barrier(CLK_LOCAL_MEM_FENCE);
  scratch[item] = v;
  barrier(CLK_LOCAL_MEM_FENCE);
  float sum = 0;
  for (int i = 0; i < GROUP; i++) {
    sum += scratch[i];
  }
  return sum;
}
inline float group_max(float v, __local float* scratch) {
  int item = get_local_id(0);
  barrier(CLK_LOCAL_MEM_FENCE);
  scratch[item] = v;
  barrier(CLK_LOCAL_MEM_FENCE);
  float max = scratch[0];
  for (int i = 1; i < GROUP; i++) {
    max = fmax(max, scratch[i]);
  }
  return max;
}
#endif

// ---- Activations ---------------------------------------------------------------------------------

// tanh(u) = 1 - 2 / (1 + exp(2u)); so 0.5 (1 + tanh(u)) = 1 / (1 + exp(-2u)).
#define GELU_A 1.5957691216057308f /* 2 sqrt(2/pi) */
#define GELU_B 0.044715f

#define DEFINE_ACTIVATION(type, name)                                                   \
  inline type name(int activation, type x) {                                            \
    if (activation == GELU) {                                                           \
      return x / (1.0f + exp(-GELU_A * (x + GELU_B * x * x * x)));                      \
    }                                                                                   \
    if (activation == SILU) {                                                           \
      return x / (1.0f + exp(-x));                                                      \
    }                                                                                   \
    if (activation == RELU) {                                                           \
      return select(x, (type)0.0f, x < 0.0f);                                           \
    }                                                                                   \
    return x;                                                                           \
  }                                                                                     \
  inline type name##_slope(int activation, type x) {                                    \
    if (activation == GELU) {                                                           \
      type s = 1.0f / (1.0f + exp(-GELU_A * (x + GELU_B * x * x * x)));                 \
      return s + x * s * (1.0f - s) * GELU_A * (1.0f + 3.0f * GELU_B * x * x);          \
    }                                                                                   \
    if (activation == SILU) {                                                           \
      type s = 1.0f / (1.0f + exp(-x));                                                 \
      return s + x * s * (1.0f - s);                                                    \
    }                                                                                   \
    if (activation == RELU) {                                                           \
      return select((type)0.0f, select((type)1.0f, x, isnan(x)), !(x <= 0.0f));         \
    }                                                                                   \
    return (type)1.0f;                                                                  \
  }

DEFINE_ACTIVATION(float, act)
#if WIDTH == 16
DEFINE_ACTIVATION(float16, act_wide)
#else
#define act_wide act
#define act_wide_slope act_slope
#endif

// ---- Rows sorted by expert -----------------------------------------------------------------------

// Rows of a block of at most `unit` rows that belong to one expert.
typedef struct {
  int expert; // -1: there are not so many blocks
  int first;  // row
  int count;
} Block;

inline Block block_of(INTS offsets, int experts, int rows, int unit, int index) {
  Block block = {-1, 0, 0};
  int blocks = 0;
  for (int e = 0; e < experts; e++) {
    int from = offsets ? offsets[e] : 0;
    int to = offsets ? offsets[e + 1] : rows;
    int more = (to - from + unit - 1) / unit;
    if (index < blocks + more) {
      block.expert = e;
      block.first = from + (index - blocks) * unit;
      block.count = min(unit, to - block.first);
      return block;
    }
    blocks += more;
  }
  return block;
}

// ---- Panels: a processor's layout of such rows -----------------------------------------------------

// Tokens of a panel, which holds rows of one expert: panel[feature][lane].
#define LANES 16

// Panels of the experts before.
inline int panel_before(INTS offsets, int experts, int rows, int expert) {
  int panels = 0;
  for (int e = 0; e < expert; e++) {
    panels += ((offsets ? offsets[e + 1] - offsets[e] : rows) + LANES - 1) / LANES;
  }
  return panels;
}
