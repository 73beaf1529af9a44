package moe.backend.cuda;

import moe.spi.device.Tensor;

/// Sums that were taken in parts, because there was too little work for a device otherwise.
final class Parts {
  private static final Kernel SUM = new Kernel("linear_back_weight", "moe_sum_parts");
  private static final Kernel BACK_WEIGHT =
      new Kernel("linear_back_weight", "moe_linear_back_weight_parts");
  private static final int MOST = 64;
  private static final int LEAST_ROWS = 64; // of a part
  private static final int COLUMNS = 128;
  private static final int OUTPUTS = 8;

  private Parts() {}

  /// The address of room for the parts of a result.
  static long room(CudaStream stream, long floats) {
    return stream.room(2, 2 * floats);
  }

  /// `y = Σ parts`, or added to `y`.
  ///
  /// @param parts the address of F32 `[count, elements of y]`
  static void sum(CudaStream stream, long parts, int count, Tensor y, boolean accumulate) {
    long n = y.shape().elements();
    stream
        .each(SUM, n)
        .dependent()
        .address(parts)
        .tensor(y)
        .wide(n)
        .number(count)
        .number(accumulate ? 1 : 0)
        .run();
  }

  /// Whether a gradient of weights is better taken in parts of its rows.
  static boolean suits(int rows, int in, int out, int multiprocessors) {
    return rows >= 4 * LEAST_ROWS && (long) in * out <= 64L * 64 * multiprocessors / 4;
  }

  /// `dW += dYᵀ·x`.
  static void backWeight(CudaStream stream, int rows, Tensor dY, Tensor x, Tensor dWeight) {
    int in = (int) x.shape().lastDim();
    int out = (int) dY.shape().lastDim();
    int chunk = Math.max(LEAST_ROWS, Math.ceilDiv(rows, MOST));
    int count = Math.ceilDiv(rows, chunk);
    long parts = room(stream, (long) count * in * out);
    stream
        .launch(BACK_WEIGHT, COLUMNS, Math.ceilDiv(in, COLUMNS), Math.ceilDiv(out, OUTPUTS), count)
        .dependent()
        .reads(dY)
        .reads(x)
        .address(parts)
        .number(rows)
        .number(chunk)
        .number(in)
        .number(out)
        .run();
    sum(stream, parts, count, dWeight, true);
  }
}
