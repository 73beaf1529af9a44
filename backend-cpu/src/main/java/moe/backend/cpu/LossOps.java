package moe.backend.cpu;

import moe.backend.cpu.kernel.ArgMax;
import moe.backend.cpu.kernel.CpuThreads;
import moe.backend.cpu.kernel.CrossEntropy;
import moe.backend.cpu.kernel.Floats;
import moe.backend.cpu.kernel.InnerLoops;
import moe.spi.device.Tensor;
import org.jspecify.annotations.Nullable;

/// What is done with logits.
final class LossOps {
  private static final Operation CROSS_ENTROPY = new Operation("crossEntropy");
  private static final Operation ARG_MAX = new Operation("argMax");

  private final CrossEntropy crossEntropy;
  private final ArgMax argMax;

  LossOps(CpuThreads threads, InnerLoops loops) {
    crossEntropy = new CrossEntropy(threads, loops);
    argMax = new ArgMax(threads, loops);
  }

  void crossEntropy(
      Tensor logits, Tensor targets, Tensor losses, float scale, @Nullable Tensor dLogits) {
    long rows = logits.shape().rows();
    long vocab = logits.shape().lastDim();
    Floats x = CROSS_ENTROPY.matrix("logits", logits, rows, vocab);
    Floats d = dLogits == null ? null : CROSS_ENTROPY.matrix("dLogits", dLogits, rows, vocab);
    crossEntropy
        .gradient(d, scale)
        .run(
            x,
            CROSS_ENTROPY.indexes("targets", targets, rows, Integer.MIN_VALUE, vocab),
            CROSS_ENTROPY.floats("losses", losses, rows),
            (int) rows,
            (int) vocab);
  }

  void argMax(Tensor x, Tensor indexes) {
    long rows = x.shape().rows();
    long width = x.shape().lastDim();
    ARG_MAX.require(width > 0, "the last dimension of x", width, "must be at least", 1);
    argMax.run(
        ARG_MAX.matrix("x", x, rows, width),
        ARG_MAX.ints("indexes", indexes, rows),
        (int) rows,
        (int) width);
  }
}
