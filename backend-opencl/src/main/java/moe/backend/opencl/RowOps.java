package moe.backend.opencl;

import moe.backend.opencl.kernel.Kernels;
import moe.backend.opencl.kernel.Region;
import moe.backend.opencl.kernel.RoutedRows;
import moe.backend.opencl.kernel.WorkQueue;
import moe.spi.device.Tensor;
import org.jspecify.annotations.Nullable;

/// Rows taken from and given back to their tokens.
final class RowOps {
  private static final Operation GATHER = new Operation("gatherRows");
  private static final Operation SCATTER = new Operation("scatterRows");
  private static final Operation BACKWARD = new Operation("scatterRowsBackward");

  private final WorkQueue queue;
  private final RoutedRows routed;

  RowOps(Kernels kernels, WorkQueue queue) {
    this.queue = queue;
    routed = new RoutedRows(kernels);
  }

  void gather(Tensor x, Tensor assignments, int topK, Tensor out) {
    long n = assignments.shape().elements();
    long tokens = x.shape().rows();
    long width = x.shape().lastDim();
    Region from = GATHER.matrix("x", x, tokens, width);
    Region to = GATHER.matrix("out", out, n, width);
    routing(GATHER, assignments, tokens, topK, width).gather(from, to, queue);
  }

  void scatter(Tensor values, Tensor assignments, int topK, @Nullable Tensor gates, Tensor out) {
    long n = assignments.shape().elements();
    long tokens = out.shape().rows();
    long width = out.shape().lastDim();
    Region from = SCATTER.matrix("values", values, n, width);
    Region to = SCATTER.matrix("out", out, tokens, width);
    Region factors = SCATTER.optional("gates", gates, tokens * topK);
    routing(SCATTER, assignments, tokens, topK, width).scatter(from, factors, to, queue);
  }

  void scatterBackward(
      Tensor dOut, Tensor values, Tensor assignments, Tensor gates, Tensor dValues, Tensor dGates) {
    long n = assignments.shape().elements();
    long tokens = dOut.shape().rows();
    long width = dOut.shape().lastDim();
    int topK = (int) gates.shape().lastDim();
    Region factors = BACKWARD.matrix("gates", gates, tokens, topK);
    Region dFactors = BACKWARD.matrix("dGates", dGates, tokens, topK);
    Region from = BACKWARD.matrix("dOut", dOut, tokens, width);
    Region rows = BACKWARD.matrix("values", values, n, width);
    Region dRows = BACKWARD.matrix("dValues", dValues, n, width);
    routing(BACKWARD, assignments, tokens, topK, width)
        .scatterBackward(from, rows, factors, dRows, dFactors, queue);
  }

  private RoutedRows routing(
      Operation operation, Tensor assignments, long tokens, int topK, long width) {
    operation.require(topK >= 1, "topK", topK, "must be at least", 1);
    long n = assignments.shape().elements();
    return routed.routing(
        operation.ints("assignments", assignments, n),
        (int) n,
        Math.toIntExact(tokens * topK),
        topK,
        (int) width);
  }
}
