// Products with stacked weights on a GPU: a group of 16 x 16 work-items computes 64 x 64 sums, four by
// four each, from tiles in local memory.

#define TILE 64
#define DEPTH 16
#define SIDE 16
#define EACH 4

// Adds the products of two local tiles to the sums.
#define MULTIPLY                                              \
  for (int k = 0; k < DEPTH; k++) {                           \
    float p[EACH];                                            \
    float q[EACH];                                            \
    for (int m = 0; m < EACH; m++) {                          \
      p[m] = a[k][y + m * SIDE];                              \
      q[m] = b[k][x + m * SIDE];                              \
    }                                                         \
    for (int m = 0; m < EACH; m++) {                          \
      for (int n = 0; n < EACH; n++) {                        \
        sum[m][n] = fma(p[m], q[n], sum[m][n]);               \
      }                                                       \
    }                                                         \
  }

// Fills a local tile [DEPTH][TILE]. Neighbours in memory go to neighbouring work-items: along the
// depth for rows whose features lie side by side, along the tile for the other way round.
#define LOAD_ALONG_DEPTH(tile, VALUE)                         \
  for (int j = item / DEPTH; j < TILE; j += SIDE) {           \
    int k = item % DEPTH;                                     \
    tile[k][j] = VALUE(j, k);                                 \
  }
#define LOAD_ALONG_TILE(tile, VALUE)                          \
  for (int k = item / TILE; k < DEPTH; k += SIDE * SIDE / TILE) { \
    int j = item % TILE;                                      \
    tile[k][j] = VALUE(j, k);                                 \
  }

#define BEGIN                                                 \
  __local float a[DEPTH][TILE + 1];                           \
  __local float b[DEPTH][TILE + 1];                           \
  int x = get_local_id(0);                                    \
  int y = get_local_id(1);                                    \
  int item = y * SIDE + x;                                    \
  float sum[EACH][EACH];                                      \
  for (int m = 0; m < EACH; m++) {                            \
    for (int n = 0; n < EACH; n++) {                          \
      sum[m][n] = 0.0f;                                       \
    }                                                         \
  }                                                           \
  offsets = offsets ? offsets + offsetsAt : 0;

// The row of the tokens, or of their gradients, that belongs to a sorted row.
#define TOKEN(row) (assignments ? assignments[assignmentsAt + (row)] / topK : (row))
#define GATE(row) (gates ? gates[gatesAt + assignments[assignmentsAt + (row)]] : 1.0f)

// result[row, o] = activation(sum_i weight[e, o, i] * input[row, i] + bias[e, o]).
// Launch: 16 x 16 work-items for each 64 features x 64 rows of an expert.
__kernel __attribute__((reqd_work_group_size(SIDE, SIDE, 1)))
void forward(FLOATS weight, ulong weightAt, FLOATS bias, ulong biasAt, FLOATS input, ulong inputAt,
    INTS assignments, ulong assignmentsAt, int topK, INTS offsets, ulong offsetsAt, int experts,
    int rows, int in, int out, int activation, RESULT before, ulong beforeAt, RESULT result,
    ulong resultAt) {
  BEGIN
  Block block = block_of(offsets, experts, rows, TILE, get_group_id(1));
  if (block.expert < 0) {
    return;
  }
  int e = block.expert;
  int from = get_group_id(0) * TILE;
  FLOATS w = weight + weightAt + (ulong)e * out * in;
  FLOATS t = input + inputAt;
  for (int k0 = 0; k0 < in; k0 += DEPTH) {
#define ROW_VALUE(j, k) \
  ((j) < block.count && k0 + (k) < in ? t[(ulong)TOKEN(block.first + (j)) * in + k0 + (k)] : 0.0f)
#define WEIGHT_VALUE(j, k) \
  (from + (j) < out && k0 + (k) < in ? w[(ulong)(from + (j)) * in + k0 + (k)] : 0.0f)
    LOAD_ALONG_DEPTH(a, ROW_VALUE)
    LOAD_ALONG_DEPTH(b, WEIGHT_VALUE)
    barrier(CLK_LOCAL_MEM_FENCE);
    MULTIPLY
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  for (int m = 0; m < EACH; m++) {
    for (int n = 0; n < EACH; n++) {
      int row = y + m * SIDE;
      int o = from + x + n * SIDE;
      if (row < block.count && o < out) {
        float v = sum[m][n] + (bias ? bias[biasAt + (ulong)e * out + o] : 0.0f);
        ulong at = (ulong)(block.first + row) * out + o;
        if (before) {
          before[beforeAt + at] = v;
        }
        result[resultAt + at] = act(activation, v);
      }
    }
  }
}

// result[row, i] = sum_o weight[e, o, i] * gate * gradient[row, o], times the slope of the activation
// at before[row, i] if there is one; added if `add`.
// Launch: as above, for each 64 features x 64 rows.
__kernel __attribute__((reqd_work_group_size(SIDE, SIDE, 1)))
void backward_input(FLOATS weight, ulong weightAt, FLOATS gradient, ulong gradientAt, INTS assignments,
    ulong assignmentsAt, int topK, FLOATS gates, ulong gatesAt, INTS offsets, ulong offsetsAt,
    int experts, int rows, int in, int out, int activation, FLOATS before, ulong beforeAt,
    RESULT result, ulong resultAt, int add) {
  BEGIN
  Block block = block_of(offsets, experts, rows, TILE, get_group_id(1));
  if (block.expert < 0) {
    return;
  }
  int e = block.expert;
  int from = get_group_id(0) * TILE;
  FLOATS w = weight + weightAt + (ulong)e * out * in;
  FLOATS d = gradient + gradientAt;
  for (int k0 = 0; k0 < out; k0 += DEPTH) {
#define GRADIENT_VALUE(j, k) \
  ((j) < block.count && k0 + (k) < out \
      ? GATE(block.first + (j)) * d[(ulong)TOKEN(block.first + (j)) * out + k0 + (k)] : 0.0f)
#define COLUMN_VALUE(j, k) \
  (from + (j) < in && k0 + (k) < out ? w[(ulong)(k0 + (k)) * in + from + (j)] : 0.0f)
    LOAD_ALONG_DEPTH(a, GRADIENT_VALUE)
    LOAD_ALONG_TILE(b, COLUMN_VALUE)
    barrier(CLK_LOCAL_MEM_FENCE);
    MULTIPLY
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  for (int m = 0; m < EACH; m++) {
    for (int n = 0; n < EACH; n++) {
      int row = y + m * SIDE;
      int i = from + x + n * SIDE;
      if (row < block.count && i < in) {
        ulong at = (ulong)(block.first + row) * in + i;
        float v = sum[m][n];
        if (before) {
          v *= act_slope(activation, before[beforeAt + at]);
        }
        result[resultAt + at] = add ? result[resultAt + at] + v : v;
      }
    }
  }
}

// weightGradient[e, o, i] += sum over the expert's rows of gate * gradient[row, o] * input[row, i].
// Launch: 16 x 16 work-items for each 64 columns x (experts * 64 features).
__kernel __attribute__((reqd_work_group_size(SIDE, SIDE, 1)))
void backward_weight(FLOATS gradient, ulong gradientAt, int gathered, FLOATS gates, ulong gatesAt,
    FLOATS input, ulong inputAt, int inputGathered, INTS assignments, ulong assignmentsAt, int topK,
    INTS offsets, ulong offsetsAt, int experts, int rows, int in, int out, RESULT weightGradient,
    ulong weightGradientAt) {
  BEGIN
  int parts = (out + TILE - 1) / TILE;
  int e = get_group_id(1) / parts;
  int firstOut = get_group_id(1) % parts * TILE;
  int from = get_group_id(0) * TILE;
  int start = offsets ? offsets[e] : 0;
  int count = (offsets ? offsets[e + 1] : rows) - start;
  FLOATS d = gradient + gradientAt;
  FLOATS t = input + inputAt;
  for (int k0 = 0; k0 < count; k0 += DEPTH) {
#define D_ROW(k) (gathered ? TOKEN(start + k0 + (k)) : start + k0 + (k))
#define X_ROW(k) (inputGathered ? TOKEN(start + k0 + (k)) : start + k0 + (k))
#define D_VALUE(j, k) \
  (firstOut + (j) < out && k0 + (k) < count \
      ? GATE(start + k0 + (k)) * d[(ulong)D_ROW(k) * out + firstOut + (j)] : 0.0f)
#define X_VALUE(j, k) \
  (from + (j) < in && k0 + (k) < count ? t[(ulong)X_ROW(k) * in + from + (j)] : 0.0f)
    LOAD_ALONG_TILE(a, D_VALUE)
    LOAD_ALONG_TILE(b, X_VALUE)
    barrier(CLK_LOCAL_MEM_FENCE);
    MULTIPLY
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  for (int m = 0; m < EACH; m++) {
    for (int n = 0; n < EACH; n++) {
      int o = firstOut + y + m * SIDE;
      int i = from + x + n * SIDE;
      if (o < out && i < in && count > 0) {
        weightGradient[weightGradientAt + ((ulong)e * out + o) * in + i] += sum[m][n];
      }
    }
  }
}

// biasGradient[e, o] += sum over the expert's rows of gate * gradient[row, o].
// Launch: a work-item for each o x experts.
__kernel void backward_bias(FLOATS gradient, ulong gradientAt, int gathered, INTS assignments,
    ulong assignmentsAt, int topK, FLOATS gates, ulong gatesAt, INTS offsets, ulong offsetsAt,
    int experts, int rows, int out, RESULT biasGradient, ulong biasGradientAt) {
  offsets = offsets ? offsets + offsetsAt : 0;
  int o = get_global_id(0);
  int e = get_global_id(1);
  int start = offsets ? offsets[e] : 0;
  int end = offsets ? offsets[e + 1] : rows;
  if (o >= out || start == end) {
    return;
  }
  float all = 0.0f;
  for (int row = start; row < end; row++) {
    int d = gathered ? TOKEN(row) : row;
    all += GATE(row) * gradient[gradientAt + (ulong)d * out + o];
  }
  biasGradient[biasGradientAt + (ulong)e * out + o] += all;
}
