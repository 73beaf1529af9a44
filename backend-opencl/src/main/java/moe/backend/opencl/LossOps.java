package moe.backend.opencl;

import moe.backend.opencl.kernel.ClKernel;
import moe.backend.opencl.kernel.Kernels;
import moe.backend.opencl.kernel.WorkQueue;
import moe.spi.device.Tensor;
import org.jspecify.annotations.Nullable;

/// What is done with logits.
final class LossOps {
  private static final Operation CROSS_ENTROPY = new Operation("crossEntropy");
  private static final Operation ARG_MAX = new Operation("argMax");

  private final WorkQueue queue;
  private final ClKernel crossEntropy;
  private final ClKernel argMax;

  LossOps(Kernels kernels, WorkQueue queue) {
    this.queue = queue;
    crossEntropy = kernels.kernel("loss", "cross_entropy");
    argMax = kernels.kernel("loss", "arg_max");
  }

  void crossEntropy(
      Tensor logits, Tensor targets, Tensor losses, float scale, @Nullable Tensor dLogits) {
    long rows = logits.shape().rows();
    long vocab = logits.shape().lastDim();
    crossEntropy
        .begin()
        .region(CROSS_ENTROPY.matrix("logits", logits, rows, vocab))
        .region(CROSS_ENTROPY.ints("targets", targets, rows))
        .whole((int) vocab)
        .number(scale)
        .region(CROSS_ENTROPY.floats("losses", losses, rows))
        .region(dLogits == null ? null : CROSS_ENTROPY.matrix("dLogits", dLogits, rows, vocab))
        .rows(queue, rows);
  }

  void argMax(Tensor x, Tensor indexes) {
    long rows = x.shape().rows();
    long width = x.shape().lastDim();
    ARG_MAX.require(width > 0, "the last dimension of x", width, "must be at least", 1);
    argMax
        .begin()
        .region(ARG_MAX.matrix("x", x, rows, width))
        .whole((int) width)
        .region(ARG_MAX.ints("indexes", indexes, rows))
        .rows(queue, rows);
  }
}
