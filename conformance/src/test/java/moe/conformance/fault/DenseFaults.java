package moe.conformance.fault;

import static moe.conformance.fault.Broken.backend;
import static moe.conformance.fault.Broken.copy;
import static moe.conformance.fault.Broken.dense;
import static moe.conformance.fault.Broken.get;
import static moe.conformance.fault.Broken.set;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import moe.spi.device.Activation;
import moe.spi.device.AdamW;
import moe.spi.device.AdamWState;
import moe.spi.device.AttentionShape;
import moe.spi.device.Capability;
import moe.spi.device.DenseOps;
import moe.spi.device.DeviceStream;
import moe.spi.device.Embeddings;
import moe.spi.device.KvCache;
import moe.spi.device.LinearWeights;
import moe.spi.device.NormStatistics;
import moe.spi.device.NormWeights;
import moe.spi.device.Shape;
import moe.spi.device.Tensor;
import org.jspecify.annotations.Nullable;

/// Dense operations that are wrong.
@SuppressWarnings("ReferenceEquality") // in place means the same object
final class DenseFaults {
  private DenseFaults() {}

  static List<Broken> all() {
    return List.of(
        dense(
            "DENSE-1",
            "firstPosition is ignored",
            ops ->
                new ForwardingDenseOps(ops) {
                  @Override
                  public void embed(
                      Tensor ids,
                      Embeddings tables,
                      int seqLength,
                      int firstPosition,
                      Tensor out,
                      DeviceStream stream) {
                    real.embed(ids, tables, seqLength, 0, out, stream);
                  }
                }),
        dense("DENSE-2", "the variance is summed from squares in float32", OnePassNorm::new),
        dense(
            "DENSE-3",
            "the last element of many rows is left out",
            ops ->
                new ForwardingDenseOps(ops) {
                  @Override
                  public void linear(
                      Tensor x,
                      LinearWeights weights,
                      Activation activation,
                      Tensor y,
                      DeviceStream stream) {
                    MemorySegment before = copy(y);
                    real.linear(x, weights, activation, y, stream);
                    int last = (int) y.shape().elements() - 1;
                    if (y.shape().rows() > 32) {
                      set(y, last, before.getAtIndex(ValueLayout.JAVA_FLOAT, last));
                    }
                  }
                }),
        backend(
            "DENSE-4",
            "BF16_WEIGHTS is claimed and cannot be allocated",
            real ->
                new ForwardingBackend(real) {
                  @Override
                  public Set<Capability> capabilities() {
                    EnumSet<Capability> more = EnumSet.copyOf(real.capabilities());
                    more.add(Capability.BF16_WEIGHTS);
                    return more;
                  }
                }),
        dense(
            "DENSE-5",
            "GELU is approximated by x·sigmoid(1.702·x)",
            ops ->
                new ForwardingDenseOps(ops) {
                  @Override
                  public void activate(
                      Activation activation, Tensor x, Tensor y, DeviceStream stream) {
                    MemorySegment from = copy(x);
                    real.activate(activation, x, y, stream);
                    for (int i = 0;
                        activation == Activation.GELU && i < y.shape().elements();
                        i++) {
                      double value = from.getAtIndex(ValueLayout.JAVA_FLOAT, i);
                      set(y, i, (float) (value / (1 + Math.exp(-1.702 * value))));
                    }
                  }
                }),
        dense(
            "DENSE-6",
            "a sum into its second input reads what it wrote",
            ops ->
                new ForwardingDenseOps(ops) {
                  @Override
                  public void add(Tensor a, Tensor b, Tensor out, DeviceStream stream) {
                    real.add(a, b == out ? a : b, out, stream);
                  }
                }),
        dense(
            "DENSE-7",
            "logSumExp is the sum without the largest score",
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
                    if (logSumExp != null && logSumExp.shape().elements() > 0) {
                      set(logSumExp, 0, get(logSumExp, 0) - 0.1f);
                    }
                  }
                }),
        dense(
            "DENSE-8",
            "the end of the cache is cleared",
            ops ->
                new ForwardingDenseOps(ops) {
                  @Override
                  public void attentionCached(
                      Tensor qkv,
                      KvCache cache,
                      int position,
                      AttentionShape shape,
                      Tensor out,
                      DeviceStream stream) {
                    real.attentionCached(qkv, cache, position, shape, out, stream);
                    set(cache.keys(), cache.keys().shape().elements() - 1, 0);
                  }
                }),
        dense(
            "DENSE-9",
            "−0 becomes 0",
            ops ->
                new ForwardingDenseOps(ops) {
                  @Override
                  public void gatherRows(
                      Tensor x, Tensor assignments, int topK, Tensor out, DeviceStream stream) {
                    real.gatherRows(x, assignments, topK, out, stream);
                    for (int i = 0; i < out.shape().elements(); i++) {
                      set(out, i, get(out, i) + 0f);
                    }
                  }
                }),
        dense(
            "DENSE-10",
            "the sums overwrite what was there",
            ops ->
                new ForwardingDenseOps(ops) {
                  @Override
                  public void scatterRows(
                      Tensor values,
                      Tensor assignments,
                      int topK,
                      @Nullable Tensor gates,
                      Tensor out,
                      DeviceStream stream) {
                    stream.zero(out);
                    real.scatterRows(values, assignments, topK, gates, out, stream);
                  }
                }),
        dense(
            "DENSE-11",
            "weights decay twice",
            ops ->
                new ForwardingDenseOps(ops) {
                  @Override
                  public void adamW(
                      Tensor parameter,
                      Tensor gradient,
                      AdamWState state,
                      AdamW settings,
                      Tensor schedule,
                      DeviceStream stream) {
                    float decay = 2 * settings.weightDecay();
                    AdamW twice =
                        new AdamW(settings.beta1(), settings.beta2(), settings.epsilon(), decay);
                    real.adamW(parameter, gradient, state, twice, schedule, stream);
                  }
                }),
        dense(
            "DENSE-12",
            "the end of a long tensor is left out",
            ops ->
                new ForwardingDenseOps(ops) {
                  @Override
                  public void sumOfSquares(Tensor x, Tensor out, DeviceStream stream) {
                    long n = Math.min(x.shape().elements(), 4096);
                    real.sumOfSquares(x.view(0, Shape.of(n)), out, stream);
                  }
                }),
        dense(
            "DENSE-13",
            "it scales twice",
            ops ->
                new ForwardingDenseOps(ops) {
                  @Override
                  public void scale(Tensor x, Tensor factor, DeviceStream stream) {
                    real.scale(x, factor, stream);
                    real.scale(x, factor, stream);
                  }
                }));
  }

  /// `E[x²] − E[x]²`, which cancels where the mean is large.
  private static final class OnePassNorm extends ForwardingDenseOps {
    OnePassNorm(DenseOps real) {
      super(real);
    }

    @Override
    public void layerNorm(
        Tensor x,
        NormWeights weights,
        float epsilon,
        Tensor y,
        NormStatistics statistics,
        DeviceStream stream) {
      real.layerNorm(x, weights, epsilon, y, statistics, stream);
      int width = (int) x.shape().lastDim();
      for (int row = 0; row < x.shape().rows(); row++) {
        float sum = 0;
        float squares = 0;
        for (int i = row * width; i < (row + 1) * width; i++) {
          sum += get(x, i);
          squares += get(x, i) * get(x, i);
        }
        float mean = sum / width;
        double inverse = 1 / Math.sqrt(Math.max(squares / width - mean * mean, 0) + epsilon);
        set(statistics.inverseDeviation(), row, (float) inverse);
      }
    }
  }
}
