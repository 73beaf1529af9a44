package moe.engine.bench;

import moe.engine.model.Gpt2Spec;
import moe.engine.model.MoeSize;
import moe.spi.device.DType;

/// How much work a model is, counted in matrix products alone.
final class ModelWork {
  private ModelWork() {}

  /// Floating-point operations of a forward: all matrices, and the causal half of the attention.
  static double forwardFlops(Gpt2Spec spec, int batch, int seqLength) {
    double tokens = (double) batch * seqLength;
    double attention = tokens * (seqLength + 1) * spec.dModel() * 2;
    return 2 * tokens * activeWeights(spec) + spec.layers() * attention;
  }

  /// Bytes of the matrices that one token needs.
  static double weightBytes(Gpt2Spec spec, DType weights) {
    return activeWeights(spec) * weights.bytes();
  }

  private static double activeWeights(Gpt2Spec spec) {
    double dModel = spec.dModel();
    MoeSize moe = spec.moe();
    double feedForward = 2.0 * dModel * spec.dHidden() * (moe == null ? 1 : moe.topK());
    double router = moe == null ? 0 : dModel * moe.experts();
    double layer = 4 * dModel * dModel + feedForward + router;
    return spec.layers() * layer + (double) spec.vocab() * dModel;
  }
}
