package moe.backend.cuda;

import moe.spi.device.Tensor;
import org.jspecify.annotations.Nullable;

/// Rows taken from and given back to their tokens.
final class RowOps {
  private static final Operation GATHER = new Operation("gatherRows");
  private static final Operation SCATTER = new Operation("scatterRows");
  private static final Operation BACKWARD = new Operation("scatterRowsBackward");
  private static final Kernel GATHER_ROWS = new Kernel("rows", "moe_gather_rows");
  private static final Kernel SCATTER_ROWS = new Kernel("rows", "moe_scatter_to_tokens");
  private static final Kernel SCATTER_BACK = new Kernel("rows", "moe_scatter_back");

  private RowOps() {}

  static void gather(CudaStream stream, Tensor x, Tensor assignments, int topK, Tensor out) {
    long n = assignments.shape().elements();
    long width = x.shape().lastDim();
    long tokens = x.shape().rows();
    GATHER.require(topK >= 1, "topK", topK, "must be at least", 1);
    GATHER.ints("assignments", assignments, n);
    GATHER.matrix("x", x, tokens, width);
    GATHER.matrix("out", out, n, width);
    stream
        .launch(GATHER_ROWS, 256, n, 1, 1)
        .tensor(x)
        .tensor(assignments)
        .tensor(out)
        .number(tokens)
        .number(topK)
        .number(width)
        .run();
  }

  static void scatter(
      CudaStream stream,
      Tensor values,
      Tensor assignments,
      int topK,
      @Nullable Tensor gates,
      Tensor out) {
    long n = assignments.shape().elements();
    long width = out.shape().lastDim();
    long tokens = out.shape().rows();
    SCATTER.require(topK >= 1, "topK", topK, "must be at least", 1);
    SCATTER.ints("assignments", assignments, n);
    SCATTER.matrix("values", values, n, width);
    SCATTER.matrix("out", out, tokens, width);
    if (gates != null) {
      SCATTER.floats("gates", gates, tokens * topK);
    }
    stream
        .launch(SCATTER_ROWS, 256, n, 1, 1)
        .tensor(values)
        .tensor(assignments)
        .tensor(gates)
        .tensor(out)
        .number(tokens)
        .number(topK)
        .number(width)
        .run();
  }

  static void scatterBackward(
      CudaStream stream,
      Tensor dOut,
      Tensor values,
      Tensor assignments,
      Tensor gates,
      Tensor dValues,
      Tensor dGates) {
    long n = assignments.shape().elements();
    long width = dOut.shape().lastDim();
    long tokens = dOut.shape().rows();
    long topK = gates.shape().lastDim();
    BACKWARD.ints("assignments", assignments, n);
    BACKWARD.matrix("dOut", dOut, tokens, width);
    BACKWARD.matrix("values", values, n, width);
    BACKWARD.matrix("gates", gates, tokens, topK);
    BACKWARD.matrix("dValues", dValues, n, width);
    BACKWARD.matrix("dGates", dGates, tokens, topK);
    stream
        .launch(SCATTER_BACK, 256, n, 1, 1)
        .tensor(dOut)
        .tensor(values)
        .tensor(assignments)
        .tensor(gates)
        .tensor(dValues)
        .tensor(dGates)
        .number(tokens)
        .number(topK)
        .number(width)
        .run();
  }
}
