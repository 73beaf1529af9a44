// Gradients of stacked weights on a processor: each work-item is a group of its own, and reads the
// panels that panels.cl makes.

// Columns of the weights' gradient that a work-item computes, and rows it packs at a time.
#define COLUMNS 64
#define ROWS_PACKED 256

// weightGradient[e, o, i] += sum over the expert's rows of gradient[row, o] * input[row, i].
// Launch: ceil(in / COLUMNS) x (experts * ceil(out / outs)).
//   gradient: panels; input: panels if inPanels, else rows gathered through assignments if there are any
__kernel void backward_weight(FLOATS gradient, ulong gradientAt, FLOATS input, ulong inputAt,
    int inPanels, INTS assignments, ulong assignmentsAt, int topK, INTS offsets, ulong offsetsAt,
    int experts, int rows, int in, int out, int outs, RESULT weightGradient, ulong weightGradientAt) {
  __local float packed[ROWS_PACKED * COLUMNS];
  offsets = offsets ? offsets + offsetsAt : 0;
  int parts = (out + outs - 1) / outs;
  int e = get_group_id(1) / parts;
  int firstOut = get_group_id(1) % parts * outs;
  int endOut = min(out, firstOut + outs);
  int start = offsets ? offsets[e] : 0;
  int count = (offsets ? offsets[e + 1] : rows) - start;
  int firstPanel = panel_before(offsets, experts, rows, e);
  int from = get_group_id(0) * COLUMNS;
  int columns = min(in - from, COLUMNS);
  for (int r0 = 0; r0 < count; r0 += ROWS_PACKED) {
    int n = min(ROWS_PACKED, count - r0);
    for (int r = 0; r < n; r++) {
      __local float* to = packed + r * COLUMNS;
      if (inPanels) {
        int row = r0 + r;
        FLOATS x = input + inputAt + ((ulong)(firstPanel + row / LANES) * in + from) * LANES
            + row % LANES;
        for (int i = 0; i < columns; i++) {
          to[i] = x[i * LANES];
        }
      } else {
        int row = start + r0 + r;
        row = assignments ? assignments[assignmentsAt + row] / topK : row;
        FLOATS x = input + inputAt + (ulong)row * in + from;
        for (int i = 0; i < columns; i++) {
          to[i] = x[i];
        }
      }
      for (int i = columns; i < COLUMNS; i++) {
        to[i] = 0.0f;
      }
    }
    int padded = (n + LANES - 1) / LANES * LANES;
    for (int i = n * COLUMNS; i < padded * COLUMNS; i++) {
      packed[i] = 0.0f;
    }
    FLOATS panel = gradient + gradientAt + (ulong)(firstPanel + r0 / LANES) * out * LANES;
    for (int o = firstOut; o < endOut; o += TILE_ROWS) {
      for (int c = 0; c < columns; c += 16) {
        FLOATS d[TILE_ROWS];
        float16 sum[TILE_ROWS];
#pragma unroll
        for (int m = 0; m < TILE_ROWS; m++) {
          d[m] = panel + min(o + m, out - 1) * LANES;
          sum[m] = 0.0f;
        }
        const __local float* x = packed + c;
        for (int r = 0; r < padded; r += LANES) {
#pragma unroll 4
          for (int l = 0; l < LANES; l++) {
            float16 v = vload16(0, x + l * COLUMNS);
#pragma unroll
            for (int m = 0; m < TILE_ROWS; m++) {
              sum[m] = fma((float16)(d[m][l]), v, sum[m]);
            }
          }
          x += LANES * COLUMNS;
#pragma unroll
          for (int m = 0; m < TILE_ROWS; m++) {
            d[m] += out * LANES;
          }
        }
        int features = min(TILE_ROWS, endOut - o);
        int width = min(16, columns - c);
        for (int m = 0; m < features; m++) {
          RESULT to = weightGradient + weightGradientAt + ((ulong)e * out + o + m) * in + from + c;
          if (width == 16) {
            vstore16(vload16(0, to) + sum[m], 0, to);
          } else {
            for (int i = 0; i < width; i++) {
              to[i] += ((float*)&sum[m])[i];
            }
          }
        }
      }
    }
  }
}

// biasGradient[e, o] += sum over the expert's rows of gradient[row, o].
// Launch: out x experts.
__kernel void backward_bias(FLOATS gradient, ulong gradientAt, INTS offsets, ulong offsetsAt,
    int experts, int rows, int out, RESULT biasGradient, ulong biasGradientAt) {
  offsets = offsets ? offsets + offsetsAt : 0;
  int o = get_group_id(0);
  int e = get_group_id(1);
  int count = offsets ? offsets[e + 1] - offsets[e] : rows;
  FLOATS d = gradient + gradientAt
      + ((ulong)panel_before(offsets, experts, rows, e) * out + o) * LANES;
  float16 sum = 0.0f;
  int r = 0;
  for (; r + LANES <= count; r += LANES) {
    sum += vload16(0, d + (ulong)(r / LANES) * out * LANES);
  }
  float all = total(sum);
  for (; r < count; r++) {
    all += d[(ulong)(r / LANES) * out * LANES + r % LANES];
  }
  if (count > 0) {
    biasGradient[biasGradientAt + (ulong)e * out + o] += all;
  }
}
