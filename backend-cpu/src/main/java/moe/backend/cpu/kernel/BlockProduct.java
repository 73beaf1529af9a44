package moe.backend.cpu.kernel;

/// Products of small row-major blocks, as attention needs them: `C += A·B` with `A` of any strides,
/// so that a transposed `A` costs nothing.
interface BlockProduct {
  /// The extents and strides of one product `C [m, n] += A [m, k]·B [k, n]`.
  ///
  /// Reused from call to call, because a method with this many parameters is read wrong sooner or
  /// later.
  final class Block {
    float[] a = {};
    int aAt;
    int aRow;
    int aColumn;
    float[] b = {};
    int bAt;
    int bRow;
    float[] c = {};
    int cAt;
    int cRow;

    Block a(float[] array, int at, int rowStride, int columnStride) {
      a = array;
      aAt = at;
      aRow = rowStride;
      aColumn = columnStride;
      return this;
    }

    Block b(float[] array, int at, int rowStride) {
      b = array;
      bAt = at;
      bRow = rowStride;
      return this;
    }

    Block c(float[] array, int at, int rowStride) {
      c = array;
      cAt = at;
      cRow = rowStride;
      return this;
    }

    /// Moves to the part from this row of `A` and `C`, and this column of `A` and row of `B`, on.
    void move(int row, int column) {
      aAt += row * aRow + column * aColumn;
      bAt += column * bRow;
      cAt += row * cRow;
    }
  }

  /// `C [m, n] += A [m, k]·B [k, n]`.
  void accumulate(Block block, int m, int n, int k);
}
