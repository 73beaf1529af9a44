// Products with stacked weights on a processor, without local memory shared by work-items and
// without barriers: each work-item is a group of its own.
//
// Tokens lie in panels of LANES rows of one expert: panel[feature][lane]. So a sum over features is a
// vector of LANES tokens, a weight is one number for all of them, and no weight has to be packed. What
// one product stores in panels the next one reads; lanes beyond an expert's last row are zero where
// rows were packed, and never read where they were computed.
//
// A tile is TILE_ROWS features x LANES tokens in registers.

#define PANELS_OF_BLOCK 16
#define BLOCK_ROWS (LANES * PANELS_OF_BLOCK)

// Features of a work-item, so many tiles: their weights stay in the second cache for a whole block.
#define FEATURES (TILE_ROWS * (48 / TILE_ROWS))

#define LANE ((int16)(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15))

// Copies rows into panels, gathered through assignments and multiplied by gates if there are any.
// Launch: one work-item for each panel.
//   x [tokens, width], assignments [rows]: token * topK + k, gates [tokens, topK]
__kernel void pack(FLOATS x, ulong xAt, INTS assignments, ulong assignmentsAt, int topK, FLOATS gates,
    ulong gatesAt, INTS offsets, ulong offsetsAt, int experts, int rows, int width, RESULT panels,
    ulong panelsAt) {
  int index = get_global_id(0);
  offsets = offsets ? offsets + offsetsAt : 0;
  Block block = block_of(offsets, experts, rows, LANES, index);
  if (block.expert < 0) {
    return;
  }
  FLOATS source[LANES];
  float factor[LANES];
  for (int l = 0; l < LANES; l++) {
    int row = block.first + min(l, block.count - 1);
    int a = assignments ? assignments[assignmentsAt + row] : row;
    source[l] = x + xAt + (ulong)(assignments ? a / topK : row) * width;
    factor[l] = gates ? gates[gatesAt + a] : 1.0f;
  }
  int16 used = LANE < (int16)(block.count);
  float16 factors = vload16(0, factor);
  RESULT panel = panels + panelsAt + (ulong)index * width * LANES;
  for (int k = 0; k < width; k++) {
    float16 v = (float16)(source[0][k], source[1][k], source[2][k], source[3][k], source[4][k],
        source[5][k], source[6][k], source[7][k], source[8][k], source[9][k], source[10][k],
        source[11][k], source[12][k], source[13][k], source[14][k], source[15][k]);
    vstore16(select((float16)(0.0f), v * factors, used), k, panel);
  }
}

inline void store_rows(float16* sums, int features, int count, RESULT result, int width, int add) {
  for (int l = 0; l < count; l++) {
    for (int m = 0; m < features; m++) {
      float v = ((float*)&sums[m])[l];
      RESULT at = result + (ulong)l * width + m;
      *at = add ? *at + v : v;
    }
  }
}

// result[row, o] = activation(sum_i weight[e, o, i] * input[row, i] + bias[e, o]).
// Launch: ceil(out / FEATURES) x blocks of BLOCK_ROWS rows.
//   input: panels; result: panels if inPanels, else [rows, out]; before: panels of the sums before the
//   activation, or none
__kernel void forward(FLOATS weight, ulong weightAt, FLOATS bias, ulong biasAt, FLOATS input,
    ulong inputAt, INTS offsets, ulong offsetsAt, int experts, int rows, int in, int out,
    int activation, RESULT before, ulong beforeAt, RESULT result, ulong resultAt, int inPanels) {
  offsets = offsets ? offsets + offsetsAt : 0;
  Block block = block_of(offsets, experts, rows, BLOCK_ROWS, get_group_id(1));
  if (block.expert < 0) {
    return;
  }
  int e = block.expert;
  int start = offsets ? offsets[e] : 0;
  int panel = panel_before(offsets, experts, rows, e) + (block.first - start) / LANES;
  int from = get_group_id(0) * FEATURES;
  int to = min(out, from + FEATURES);
  for (int done = 0; done < block.count; done += LANES, panel++) {
    FLOATS x = input + inputAt + (ulong)panel * in * LANES;
    for (int o = from; o < to; o += TILE_ROWS) {
      FLOATS w[TILE_ROWS];
      float16 sum[TILE_ROWS];
#pragma unroll
      for (int m = 0; m < TILE_ROWS; m++) {
        // beyond the last feature the last is computed again, and not stored
        w[m] = weight + weightAt + ((ulong)e * out + min(o + m, out - 1)) * in;
        sum[m] = 0.0f;
      }
      for (int k = 0; k < in; k++) {
        float16 v = vload16(k, x);
#pragma unroll
        for (int m = 0; m < TILE_ROWS; m++) {
          sum[m] = fma((float16)(w[m][k]), v, sum[m]);
        }
      }
      int features = min(TILE_ROWS, to - o);
      for (int m = 0; m < features; m++) {
        float16 v = sum[m] + (bias ? bias[biasAt + (ulong)e * out + o + m] : 0.0f);
        ulong at = ((ulong)panel * out + o + m) * LANES;
        if (before) {
          vstore16(v, 0, before + beforeAt + at);
        }
        v = act_wide(activation, v);
        if (inPanels) {
          vstore16(v, 0, result + resultAt + at);
        }
        sum[m] = v;
      }
      if (!inPanels) {
        store_rows(sum, features, min(LANES, block.count - done),
            result + resultAt + (ulong)(block.first + done) * out + o, out, 0);
      }
    }
  }
}

// Steps of a sum at a time: so many rows of a panel stay in the first cache for all tiles.
#define STEPS_PACKED 256

// result[row, i] = sum_o weight[e, o, i] * gradient[row, o], times the slope of the activation at
// before[row, i] if there is one; added to rows if `add`.
// Launch: ceil(in / FEATURES) x blocks of BLOCK_ROWS rows.
//   gradient: panels; before: panels; result: panels if inPanels, else [rows, in]
__kernel void backward_input(FLOATS weight, ulong weightAt, FLOATS gradient, ulong gradientAt,
    INTS offsets, ulong offsetsAt, int experts, int rows, int in, int out, int activation,
    FLOATS before, ulong beforeAt, RESULT result, ulong resultAt, int inPanels, int add) {
  __local float packed[STEPS_PACKED * FEATURES];
  __local float sums[FEATURES * BLOCK_ROWS];
  offsets = offsets ? offsets + offsetsAt : 0;
  Block block = block_of(offsets, experts, rows, BLOCK_ROWS, get_group_id(1));
  if (block.expert < 0) {
    return;
  }
  int e = block.expert;
  int start = offsets ? offsets[e] : 0;
  int firstPanel = panel_before(offsets, experts, rows, e) + (block.first - start) / LANES;
  int panels = (block.count + LANES - 1) / LANES;
  int from = get_group_id(0) * FEATURES;
  int features = min(in - from, FEATURES);
  for (int k0 = 0; k0 < out; k0 += STEPS_PACKED) {
    int steps = min(STEPS_PACKED, out - k0);
    for (int k = 0; k < steps; k++) {
      FLOATS w = weight + weightAt + ((ulong)e * out + k0 + k) * in + from;
      __local float* to = packed + k * TILE_ROWS;
      int i = 0;
      for (; i + TILE_ROWS <= features; i += TILE_ROWS) {
#pragma unroll
        for (int m = 0; m < TILE_ROWS; m++) {
          to[m] = w[i + m];
        }
        to += STEPS_PACKED * TILE_ROWS;
      }
      for (int m = 0; i < features; i++, m++) {
        to[m] = w[i];
      }
    }
    for (int p = 0; p < panels; p++) {
      FLOATS d = gradient + gradientAt + ((ulong)(firstPanel + p) * out + k0) * LANES;
      for (int i = 0; i < features; i += TILE_ROWS) {
        const __local float* w = packed + i * STEPS_PACKED;
        __local float* at = sums + (p * FEATURES + i) * LANES;
        float16 sum[TILE_ROWS];
#pragma unroll
        for (int m = 0; m < TILE_ROWS; m++) {
          sum[m] = k0 == 0 ? (float16)(0.0f) : vload16(m, at);
        }
        for (int k = 0; k < steps; k++) {
          float16 v = vload16(k, d);
#pragma unroll
          for (int m = 0; m < TILE_ROWS; m++) {
            sum[m] = fma((float16)(w[k * TILE_ROWS + m]), v, sum[m]);
          }
        }
#pragma unroll
        for (int m = 0; m < TILE_ROWS; m++) {
          vstore16(sum[m], m, at);
        }
      }
    }
  }
  for (int p = 0; p < panels; p++) {
    for (int i = 0; i < features; i += TILE_ROWS) {
      float16 sum[TILE_ROWS];
      int n = min(TILE_ROWS, features - i);
      for (int m = 0; m < n; m++) {
        ulong at = ((ulong)(firstPanel + p) * in + from + i + m) * LANES;
        float16 v = vload16((p * FEATURES + i) + m, sums);
        if (before) {
          v *= act_wide_slope(activation, vload16(0, before + beforeAt + at));
        }
        if (inPanels) { // zeros beyond the last row, which the weights' gradient reads
          int16 used = LANE < (int16)(block.count - p * LANES);
          vstore16(select((float16)(0.0f), v, used), 0, result + resultAt + at);
        }
        sum[m] = v;
      }
      if (!inPanels) {
        store_rows(sum, n, min(LANES, block.count - p * LANES),
            result + resultAt + (ulong)(block.first + p * LANES) * in + from + i, in, add);
      }
    }
  }
}
