package moe.backend.cpu.kernel;

/// The scalar twin of `VectorTileKernels`.
final class ScalarTileKernels implements TileKernels {
  private static final int ROWS = 4;
  private static final int LANES = 4;

  @Override
  public int rows() {
    return ROWS;
  }

  @Override
  public int packedRows() {
    return ROWS;
  }

  @Override
  public int pitch() {
    return ROWS;
  }

  @Override
  public int lanes() {
    return LANES;
  }

  @Override
  public void tile(
      float[] a,
      int aOffset,
      int aStride,
      float[] b,
      int left,
      int right,
      int steps,
      float[] c,
      int cOffset,
      int cStride) {
    for (int i = 0; i < ROWS; i++) {
      int row = aOffset + i * aStride;
      int out = cOffset + i * cStride;
      row(a, row, 1, b, left, steps, c, out);
      row(a, row, 1, b, right, steps, c, out + LANES);
    }
  }

  @Override
  public void packedTile(
      float[] a,
      int aOffset,
      float[] b,
      int left,
      int right,
      int steps,
      float[] c,
      int cOffset,
      int cStride) {
    packedHalf(a, aOffset, b, left, steps, c, cOffset, cStride);
    packedHalf(a, aOffset, b, right, steps, c, cOffset + LANES, cStride);
  }

  @Override
  public void packedHalf(
      float[] a,
      int aOffset,
      float[] b,
      int bOffset,
      int steps,
      float[] c,
      int cOffset,
      int cStride) {
    for (int i = 0; i < ROWS; i++) {
      row(a, aOffset + i, ROWS, b, bOffset, steps, c, cOffset + i * cStride);
    }
  }

  @Override
  public void columns(
      float[] x, int[] rows, int width, int steps, float[] y, int yOffset, int yPitch) {
    for (int i = 0; i < width; i++) {
      for (int p = 0; p < steps; p++) {
        y[yOffset + p * yPitch + i] = x[rows[i] + p];
      }
    }
  }

  // 4 sums at once: one chain of additions would wait for its own result.
  private static void row(
      float[] a, int aOffset, int aStep, float[] b, int bOffset, int steps, float[] c, int out) {
    float s0 = 0;
    float s1 = 0;
    float s2 = 0;
    float s3 = 0;
    for (int p = 0; p < steps; p++) {
      float v = a[aOffset + p * aStep];
      int at = bOffset + p * LANES;
      s0 += v * b[at];
      s1 += v * b[at + 1];
      s2 += v * b[at + 2];
      s3 += v * b[at + 3];
    }
    c[out] += s0;
    c[out + 1] += s1;
    c[out + 2] += s2;
    c[out + 3] += s3;
  }

  @Override
  public void dots(
      float[] x,
      int xOffset,
      float[] w,
      int wOffset,
      int n,
      int k,
      float[] y,
      int yOffset,
      float[] sums) {
    for (int i = 0; i < n; i++) {
      float even = 0;
      float odd = 0;
      int row = wOffset + i * k;
      int p = 0;
      for (; p + 1 < k; p += 2) {
        even += x[xOffset + p] * w[row + p];
        odd += x[xOffset + p + 1] * w[row + p + 1];
      }
      if (p < k) {
        even += x[xOffset + p] * w[row + p];
      }
      y[yOffset + i] = even + odd;
    }
  }

  @Override
  public void dots(
      float[] x,
      int xOffset,
      short[] w,
      int wOffset,
      int n,
      int k,
      float[] y,
      int yOffset,
      float[] sums) {
    for (int i = 0; i < n; i++) {
      float sum = 0;
      int row = wOffset + i * k;
      for (int p = 0; p < k; p++) {
        sum += x[xOffset + p] * Float.intBitsToFloat(w[row + p] << 16);
      }
      y[yOffset + i] = sum;
    }
  }

  @Override
  public void panels(
      float[] x,
      int xOffset,
      int xStride,
      int rows,
      int width,
      float[] b,
      int bOffset,
      int panelStride) {
    for (int row = 0; row < rows; row++) {
      int at = xOffset + row * xStride;
      for (int from = 0; from < width; from += LANES) {
        int to = bOffset + from / LANES * panelStride + row * LANES;
        for (int i = 0; i < LANES; i++) {
          b[to + i] = from + i < width ? x[at + from + i] : 0;
        }
      }
    }
  }

  @Override
  public void strips(float[] x, int[] at, float[] factors, int rows, int width, float[] a) {
    for (int i = 0; i < width; i++) {
      int to = i / packedRows() * rows * pitch() + i % packedRows();
      for (int row = 0; row < rows; row++) {
        a[to + row * pitch()] = factors[row] * x[at[row] + i];
      }
    }
  }

  @Override
  public void stripSums(float[] a, int aOffset, int rows, float[] sums) {
    for (int j = 0; j < pitch(); j++) {
      float sum = 0;
      for (int row = 0; row < rows; row++) {
        sum += a[aOffset + row * pitch() + j];
      }
      sums[j] = sum;
    }
  }

  @Override
  public void split(
      float[] sums, int at, int n, boolean both, float[] y, int yOffset, int panelStride) {
    for (int i = 0; i < n; i++) {
      System.arraycopy(sums, at + i * 2 * LANES, y, yOffset + i * LANES, LANES);
      if (both) {
        int from = at + i * 2 * LANES + LANES;
        System.arraycopy(sums, from, y, yOffset + panelStride + i * LANES, LANES);
      }
    }
  }

  @Override
  public void pairs(float[] x, int xOffset, int k, float[] y, int yOffset) {
    System.arraycopy(x, xOffset, y, yOffset, k);
  }

  @Override
  public void widen(short[] w, int wOffset, float[] y, int yOffset, int n) {
    for (int i = 0; i < n; i++) {
      y[yOffset + i] = Float.intBitsToFloat(w[wOffset + i] << 16);
    }
  }
}
