package moe.backend.cpu;

import moe.backend.cpu.kernel.CpuThreads;
import moe.backend.cpu.kernel.Floats;
import moe.backend.cpu.kernel.InnerLoops;
import moe.backend.cpu.kernel.Ints;
import moe.backend.cpu.kernel.RoutedRows;
import moe.spi.device.Tensor;
import org.jspecify.annotations.Nullable;

/// Rows taken from and given back to their tokens.
final class RowOps {
  private static final Operation GATHER = new Operation("gatherRows");
  private static final Operation SCATTER = new Operation("scatterRows");
  private static final Operation BACKWARD = new Operation("scatterRowsBackward");

  private final RoutedRows kernel;

  RowOps(CpuThreads threads, InnerLoops loops) {
    kernel = new RoutedRows(threads, loops);
  }

  void gather(Tensor x, Tensor assignments, int topK, Tensor out) {
    long n = assignments.shape().elements();
    long tokens = x.shape().rows();
    long width = x.shape().lastDim();
    Floats from = GATHER.matrix("x", x, tokens, width);
    Floats to = GATHER.matrix("out", out, n, width);
    kernel
        .routing(assignments(GATHER, assignments, n, tokens, topK), topK, null)
        .gather(from, to, (int) n, (int) width);
  }

  void scatter(Tensor values, Tensor assignments, int topK, @Nullable Tensor gates, Tensor out) {
    long n = assignments.shape().elements();
    long tokens = out.shape().rows();
    long width = out.shape().lastDim();
    Floats from = SCATTER.matrix("values", values, n, width);
    Floats to = SCATTER.matrix("out", out, tokens, width);
    Floats factors = gates == null ? null : SCATTER.floats("gates", gates, tokens * topK);
    kernel
        .routing(assignments(SCATTER, assignments, n, tokens, topK), topK, factors)
        .scatter(from, to, (int) n, (int) width);
  }

  void scatterBackward(
      Tensor dOut, Tensor values, Tensor assignments, Tensor gates, Tensor dValues, Tensor dGates) {
    long n = assignments.shape().elements();
    long tokens = dOut.shape().rows();
    long width = dOut.shape().lastDim();
    int topK = (int) gates.shape().lastDim();
    Floats factors = BACKWARD.matrix("gates", gates, tokens, topK);
    Floats dFactors = BACKWARD.matrix("dGates", dGates, tokens, topK);
    Floats from = BACKWARD.matrix("dOut", dOut, tokens, width);
    Floats rows = BACKWARD.matrix("values", values, n, width);
    Floats dRows = BACKWARD.matrix("dValues", dValues, n, width);
    kernel
        .routing(assignments(BACKWARD, assignments, n, tokens, topK), topK, factors)
        .scatterBackward(from, rows, dRows, dFactors, (int) n, (int) width);
  }

  private static Ints assignments(
      Operation operation, Tensor assignments, long n, long tokens, int topK) {
    operation.require(topK >= 1, "topK", topK, "must be at least", 1);
    return operation.indexes("assignments", assignments, n, 0, tokens * topK);
  }
}
