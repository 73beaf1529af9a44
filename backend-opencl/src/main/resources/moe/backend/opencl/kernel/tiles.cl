// Products with stacked weights on a GPU: a group of 16 x 16 work-items computes 64 rows x 128 columns
// from tiles in local memory, each work-item 4 rows x 8 columns, for which a step takes three loads of
// four floats and 32 multiply-adds. Rows and columns beyond the last are those of the last, and are not
// stored; steps beyond the last are zeros.

#define ROWS 64
#define COLUMNS 128
#define DEPTH 16
#define SIDE 16

// Rows of a work-item lie side by side; columns in two pieces, so that neighbours read neighbours.
#define ROW(m) (y * 4 + (m))
#define COLUMN(n) ((n) / 4 * (COLUMNS / 2) + x * 4 + (n) % 4)

#define BEGIN                                                 \
  __local float4 aFours[DEPTH][ROWS / 4 + 1];                 \
  __local float4 bFours[DEPTH][COLUMNS / 4 + 1];              \
  int x = get_local_id(0);                                    \
  int y = get_local_id(1);                                    \
  int item = y * SIDE + x;                                    \
  float4 sum[4][2];                                           \
  for (int m = 0; m < 4; m++) {                               \
    sum[m][0] = 0.0f;                                         \
    sum[m][1] = 0.0f;                                         \
  }                                                           \
  offsets = offsets ? offsets + offsetsAt : 0;

#define A(k, j) (((__local float*)aFours[k])[j])
#define B(k, j) (((__local float*)bFours[k])[j])
#define SUM(m, n) (((float*)&sum[m][(n) / 4])[(n) % 4])

// Adds the products of the two local tiles to the sums.
#define MULTIPLY                                              \
  barrier(CLK_LOCAL_MEM_FENCE);                               \
  for (int k = 0; k < DEPTH; k++) {                           \
    float4 p = aFours[k][y];                                  \
    float4 q0 = bFours[k][x];                                 \
    float4 q1 = bFours[k][COLUMNS / 8 + x];                   \
    sum[0][0] = fma((float4)(p.x), q0, sum[0][0]);            \
    sum[0][1] = fma((float4)(p.x), q1, sum[0][1]);            \
    sum[1][0] = fma((float4)(p.y), q0, sum[1][0]);            \
    sum[1][1] = fma((float4)(p.y), q1, sum[1][1]);            \
    sum[2][0] = fma((float4)(p.z), q0, sum[2][0]);            \
    sum[2][1] = fma((float4)(p.z), q1, sum[2][1]);            \
    sum[3][0] = fma((float4)(p.w), q0, sum[3][0]);            \
    sum[3][1] = fma((float4)(p.w), q1, sum[3][1]);            \
  }                                                           \
  barrier(CLK_LOCAL_MEM_FENCE);

// Fills a tile of `n` rows or columns. Neighbours in memory go to neighbouring work-items: along the
// depth where the features of a row lie side by side, along the tile the other way round.
#define LOAD_ALONG_DEPTH(TILE, n, VALUE)                      \
  for (int s = 0; s < (n) / SIDE; s++) {                      \
    TILE(x, y + s * SIDE) = VALUE(s, x);                      \
  }
#define LOAD_ALONG_TILE(TILE, n, VALUE)                       \
  for (int k = item / (n); k < DEPTH; k += SIDE * SIDE / (n)) { \
    TILE(k, item % (n)) = VALUE(item % (n), k);               \
  }

// The row of the tokens, or of their gradients, that belongs to a sorted row.
#define TOKEN(row) (assignments ? assignments[assignmentsAt + (row)] / topK : (row))
#define GATE(row) (gates ? gates[gatesAt + assignments[assignmentsAt + (row)]] : 1.0f)

// result[row, o] = activation(sum_i weight[e, o, i] * input[row, i] + bias[e, o]).
// Launch: 16 x 16 work-items for each 128 features x 64 rows of an expert.
__kernel __attribute__((reqd_work_group_size(SIDE, SIDE, 1)))
void forward(FLOATS weight, ulong weightAt, FLOATS bias, ulong biasAt, FLOATS input, ulong inputAt,
    INTS assignments, ulong assignmentsAt, int topK, INTS offsets, ulong offsetsAt, int experts,
    int rows, int in, int out, int activation, RESULT before, ulong beforeAt, RESULT result,
    ulong resultAt) {
  BEGIN
  Block block = block_of(offsets, experts, rows, ROWS, get_group_id(1));
  if (block.expert < 0) {
    return;
  }
  int e = block.expert;
  int from = get_group_id(0) * COLUMNS;
  FLOATS t[ROWS / SIDE];
  FLOATS w[COLUMNS / SIDE];
  for (int s = 0; s < ROWS / SIDE; s++) {
    int row = block.first + min(y + s * SIDE, block.count - 1);
    t[s] = input + inputAt + (ulong)TOKEN(row) * in;
  }
  for (int s = 0; s < COLUMNS / SIDE; s++) {
    int o = min(from + y + s * SIDE, out - 1);
    w[s] = weight + weightAt + ((ulong)e * out + o) * in;
  }
  for (int k0 = 0; k0 < in; k0 += DEPTH) {
#define ROW_VALUE(s, k) (k0 + (k) < in ? t[s][k0 + (k)] : 0.0f)
#define WEIGHT_VALUE(s, k) (k0 + (k) < in ? w[s][k0 + (k)] : 0.0f)
    LOAD_ALONG_DEPTH(A, ROWS, ROW_VALUE)
    LOAD_ALONG_DEPTH(B, COLUMNS, WEIGHT_VALUE)
    MULTIPLY
  }
  for (int m = 0; m < 4; m++) {
    for (int n = 0; n < 8; n++) {
      int o = from + COLUMN(n);
      if (ROW(m) < block.count && o < out) {
        float v = SUM(m, n) + (bias ? bias[biasAt + (ulong)e * out + o] : 0.0f);
        ulong at = (ulong)(block.first + ROW(m)) * out + o;
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
// Launch: as above, for each 128 features x 64 rows.
__kernel __attribute__((reqd_work_group_size(SIDE, SIDE, 1)))
void backward_input(FLOATS weight, ulong weightAt, FLOATS gradient, ulong gradientAt, INTS assignments,
    ulong assignmentsAt, int topK, FLOATS gates, ulong gatesAt, INTS offsets, ulong offsetsAt,
    int experts, int rows, int in, int out, int activation, FLOATS before, ulong beforeAt,
    RESULT result, ulong resultAt, int add) {
  BEGIN
  Block block = block_of(offsets, experts, rows, ROWS, get_group_id(1));
  if (block.expert < 0) {
    return;
  }
  int e = block.expert;
  int from = get_group_id(0) * COLUMNS;
  FLOATS w = weight + weightAt + (ulong)e * out * in + min(from + item % COLUMNS, in - 1);
  FLOATS d[ROWS / SIDE];
  float gate[ROWS / SIDE];
  for (int s = 0; s < ROWS / SIDE; s++) {
    int row = block.first + min(y + s * SIDE, block.count - 1);
    d[s] = gradient + gradientAt + (ulong)TOKEN(row) * out;
    gate[s] = GATE(row);
  }
  for (int k0 = 0; k0 < out; k0 += DEPTH) {
#define GRADIENT_VALUE(s, k) (k0 + (k) < out ? gate[s] * d[s][k0 + (k)] : 0.0f)
#define COLUMN_VALUE(j, k) (k0 + (k) < out ? w[(ulong)(k0 + (k)) * in] : 0.0f)
    LOAD_ALONG_DEPTH(A, ROWS, GRADIENT_VALUE)
    LOAD_ALONG_TILE(B, COLUMNS, COLUMN_VALUE)
    MULTIPLY
  }
  for (int m = 0; m < 4; m++) {
    for (int n = 0; n < 8; n++) {
      int i = from + COLUMN(n);
      if (ROW(m) < block.count && i < in) {
        ulong at = (ulong)(block.first + ROW(m)) * in + i;
        float v = SUM(m, n);
        if (before) {
          v *= act_slope(activation, before[beforeAt + at]);
        }
        result[resultAt + at] = add ? result[resultAt + at] + v : v;
      }
    }
  }
}

// weightGradient[e, o, i] += sum over the expert's rows of gate * gradient[row, o] * input[row, i].
// Launch: 16 x 16 work-items for each 128 columns x (experts * 64 features).
__kernel __attribute__((reqd_work_group_size(SIDE, SIDE, 1)))
void backward_weight(FLOATS gradient, ulong gradientAt, int gathered, FLOATS gates, ulong gatesAt,
    FLOATS input, ulong inputAt, int inputGathered, INTS assignments, ulong assignmentsAt, int topK,
    INTS offsets, ulong offsetsAt, int experts, int rows, int in, int out, RESULT weightGradient,
    ulong weightGradientAt) {
  BEGIN
  int parts = (out + ROWS - 1) / ROWS;
  int e = get_group_id(1) / parts;
  int firstOut = get_group_id(1) % parts * ROWS;
  int from = get_group_id(0) * COLUMNS;
  int start = offsets ? offsets[e] : 0;
  int count = (offsets ? offsets[e + 1] : rows) - start;
  FLOATS d = gradient + gradientAt + min(firstOut + item % ROWS, out - 1);
  FLOATS t = input + inputAt + min(from + item % COLUMNS, in - 1);
  for (int k0 = 0; k0 < count; k0 += DEPTH) {
#define D_ROW(row) (gathered ? TOKEN(row) : (row))
#define X_ROW(row) (inputGathered ? TOKEN(row) : (row))
#define D_VALUE(j, k) \
  (k0 + (k) < count ? GATE(start + k0 + (k)) * d[(ulong)D_ROW(start + k0 + (k)) * out] : 0.0f)
#define X_VALUE(j, k) (k0 + (k) < count ? t[(ulong)X_ROW(start + k0 + (k)) * in] : 0.0f)
    LOAD_ALONG_TILE(A, ROWS, D_VALUE)
    LOAD_ALONG_TILE(B, COLUMNS, X_VALUE)
    MULTIPLY
  }
  for (int m = 0; m < 4; m++) {
    for (int n = 0; n < 8; n++) {
      int o = firstOut + ROW(m);
      int i = from + COLUMN(n);
      if (o < out && i < in && count > 0) {
        weightGradient[weightGradientAt + ((ulong)e * out + o) * in + i] += SUM(m, n);
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
