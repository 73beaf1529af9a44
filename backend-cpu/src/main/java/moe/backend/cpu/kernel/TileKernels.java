package moe.backend.cpu.kernel;

/// The inner loops of all matrix products, once with vectors and once without.
///
/// One tile serves every product: some rows of A against two panels of `lanes()` columns of B, or
/// one. A is packed as `[steps, pitch()]`, or read in place; a panel of B is `[steps, lanes()]`.
/// The lanes of a panel are whatever the result has many of: tokens in the forward, features in the
/// backward.
interface TileKernels {
  /// The most steps of one tile.
  int MAX_STEPS = 1000;

  /// Vectors of scratch that `dots` needs.
  int DOT_SUMS = 4;

  /// Rows of A in a tile that reads them in place.
  int rows();

  /// Rows of A in a packed tile.
  int packedRows();

  /// From one step of packed rows to the next, at least `packedRows()`; what is between does not
  /// matter.
  int pitch();

  /// Columns of B in a panel.
  int lanes();

  /// `C[i, j] += Σ_p A[i, p] · B[p, j]` for one tile, summed in the order of p.
  ///
  /// @param a `[rows(), steps]` with stride `aStride`
  /// @param b holds two panels `[steps, lanes()]`, one at `left` and one at `right`
  /// @param steps at most `MAX_STEPS`
  /// @param c `[rows(), 2·lanes()]` with stride `cStride`
  void tile(
      float[] a,
      int aOffset,
      int aStride,
      float[] b,
      int left,
      int right,
      int steps,
      float[] c,
      int cOffset,
      int cStride);

  /// `tile` with A packed as `[steps, pitch()]`, the `packedRows()` numbers of a step side by side.
  void packedTile(
      float[] a,
      int aOffset,
      float[] b,
      int left,
      int right,
      int steps,
      float[] c,
      int cOffset,
      int cStride);

  /// `packedTile` with one panel of B: `C` is `[packedRows(), lanes()]`.
  void packedHalf(
      float[] a,
      int aOffset,
      float[] b,
      int bOffset,
      int steps,
      float[] c,
      int cOffset,
      int cStride);

  /// Writes rows as columns: `y[yOffset + p·yPitch + i] = x[rows[i] + p]` for i below `width`.
  ///
  /// @param rows where each row begins
  /// @param width `pitch()` or `lanes()`
  void columns(float[] x, int[] rows, int width, int steps, float[] y, int yOffset, int yPitch);

  /// `y[i] = ⟨x, W[i]⟩` for `n` rows of W, each of `k` numbers: for few rows of x, where the
  /// weights come from memory and each is used once.
  ///
  /// @param sums scratch of at least `DOT_SUMS · lanes()` numbers
  void dots(
      float[] x,
      int xOffset,
      float[] w,
      int wOffset,
      int n,
      int k,
      float[] y,
      int yOffset,
      float[] sums);

  /// `dots` with weights stored as bfloat16.
  ///
  /// @param x in the order that `pairs` writes
  void dots(
      float[] x,
      int xOffset,
      short[] w,
      int wOffset,
      int n,
      int k,
      float[] y,
      int yOffset,
      float[] sums);

  /// Writes the `k` numbers of a row in the order that `dots` on bfloat16 weights reads them in.
  void pairs(float[] x, int xOffset, int k, float[] y, int yOffset);

  /// Cuts rows of `width` numbers into panels: `b[bOffset + (i / lanes)·panelStride + r·lanes + i %
  /// lanes] = x[xOffset + r·xStride + i]`, the last panel filled up with zeros.
  void panels(
      float[] x,
      int xOffset,
      int xStride,
      int rows,
      int width,
      float[] b,
      int bOffset,
      int panelStride);

  /// Cuts the first `width` columns out of rows into strips for packed tiles: `a[(i / packedRows()
  /// · rows + r)·pitch() + i % packedRows()] = factors[r] · x[at[r] + i]`; what else lies in a row
  /// of a strip is anything.
  void strips(float[] x, int[] at, float[] factors, int rows, int width, float[] a);

  /// `sums[j] = Σ_r a[aOffset + r·pitch() + j]` over the rows of a strip, for j below `pitch()`.
  void stripSums(float[] a, int aOffset, int rows, float[] sums);

  /// Cuts sums `[n, 2·lanes]` into two panels `[n, lanes]`, the second at `y + panelStride`.
  ///
  /// @param both whether the second exists
  void split(float[] sums, int at, int n, boolean both, float[] y, int yOffset, int panelStride);

  /// `y[i] = w[i]` for `n` bfloat16 numbers, exact.
  void widen(short[] w, int wOffset, float[] y, int yOffset, int n);
}
