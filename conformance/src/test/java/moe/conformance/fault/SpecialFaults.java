package moe.conformance.fault;

import static moe.conformance.fault.Broken.dense;
import static moe.conformance.fault.Broken.get;
import static moe.conformance.fault.Broken.id;
import static moe.conformance.fault.Broken.set;
import static moe.conformance.fault.Broken.setId;

import java.util.List;
import moe.spi.device.Activation;
import moe.spi.device.AttentionShape;
import moe.spi.device.DeviceStream;
import moe.spi.device.LinearWeights;
import moe.spi.device.Tensor;
import org.jspecify.annotations.Nullable;

/// Losses, NaN and numbers far from 1 that go wrong.
final class SpecialFaults {
  private SpecialFaults() {}

  static List<Broken> all() {
    return List.of(
        dense(
            "DENSE-14",
            "a masked row has a loss",
            ops ->
                new ForwardingDenseOps(ops) {
                  @Override
                  public void crossEntropy(
                      Tensor logits,
                      Tensor targets,
                      Tensor losses,
                      float gradientScale,
                      @Nullable Tensor dLogits,
                      DeviceStream stream) {
                    real.crossEntropy(logits, targets, losses, gradientScale, dLogits, stream);
                    for (int row = 0; row < losses.shape().elements(); row++) {
                      if (id(targets, row) < 0) {
                        set(losses, row, 1);
                      }
                    }
                  }
                }),
        dense(
            "DENSE-15",
            "of equals the last wins",
            ops ->
                new ForwardingDenseOps(ops) {
                  @Override
                  public void argMax(Tensor x, Tensor indexes, DeviceStream stream) {
                    real.argMax(x, indexes, stream);
                    int n = (int) x.shape().lastDim();
                    for (int i = 0; i < x.shape().elements(); i++) {
                      if (get(x, i) == get(x, i / n * n + id(indexes, i / n))) {
                        setId(indexes, i / n, i % n);
                      }
                    }
                  }
                }),
        dense(
            "DENSE-16",
            "NaN is taken for 0",
            ops ->
                new ForwardingDenseOps(ops) {
                  @Override
                  public void linear(
                      Tensor x,
                      LinearWeights weights,
                      Activation activation,
                      Tensor y,
                      DeviceStream stream) {
                    real.linear(x, weights, activation, y, stream);
                    for (int i = 0; i < y.shape().elements(); i++) {
                      set(y, i, Float.isNaN(get(y, i)) ? 0 : get(y, i));
                    }
                  }
                }),
        dense(
            "DENSE-17",
            "an exponential overflows",
            ops ->
                new ForwardingDenseOps(ops) {
                  @Override
                  public void activate(
                      Activation activation, Tensor x, Tensor y, DeviceStream stream) {
                    real.activate(activation, x, y, stream);
                    for (int i = 0; i < y.shape().elements(); i++) {
                      set(y, i, get(y, i) > 1000 ? Float.NaN : get(y, i));
                    }
                  }
                }),
        dense(
            "DENSE-18",
            "masked values are multiplied by 0",
            ops ->
                new ForwardingDenseOps(ops) {
                  @Override
                  public void attention(
                      Tensor qkv,
                      AttentionShape shape,
                      Tensor out,
                      @Nullable Tensor logSumExp,
                      DeviceStream stream) {
                    real.attention(qkv, shape, out, logSumExp, stream);
                    for (int i = 0; i < qkv.shape().elements(); i++) {
                      if (Float.isNaN(get(qkv, i))) {
                        set(out, 0, Float.NaN);
                      }
                    }
                  }
                }));
  }
}
