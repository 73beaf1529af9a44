package moe.engine.bench;

import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;
import moe.spi.device.Activation;
import moe.spi.device.DType;
import moe.spi.device.DeviceStream;
import moe.spi.device.Shape;
import moe.spi.device.Tensor;
import moe.spi.stage.Parameter;
import moe.spi.stage.Routing;
import org.jspecify.annotations.Nullable;

/// A block's output in double precision, on the host, for some of its tokens and with the routing
/// that the block itself chose: what a timed result is held to.
final class BlockReference {
  private static final int MOST_TOKENS = 16;
  private static final long MOST_WEIGHTS = 1L << 29; // of a matrix, for arrays and patience

  private final MoeShape shape;
  private final DeviceStream stream;
  private final Map<String, Parameter> parameters;
  private final int[] tokens;

  /// @param parameters by their names; see `StandardParameters`
  BlockReference(MoeShape shape, DeviceStream stream, Map<String, Parameter> parameters) {
    this.shape = shape;
    this.stream = stream;
    this.parameters = parameters;
    int count = Math.min(MOST_TOKENS, shape.tokens());
    this.tokens =
        IntStream.range(0, count)
            .map(i -> (int) ((long) i * (shape.tokens() - 1) / Math.max(1, count - 1)))
            .toArray();
  }

  /// Whether the host can do this in a while.
  static boolean canCheck(MoeShape shape) {
    return (long) shape.dModel() * shape.dHidden() <= MOST_WEIGHTS;
  }

  /// The [RelativeError] of `out` over the tokens looked at.
  double error(Tensor in, Routing routing, Tensor out) {
    int topK = shape.topK();
    int[] ids = new int[tokens.length * topK];
    float[] gates = new float[tokens.length * topK];
    for (int t = 0; t < tokens.length; t++) {
      System.arraycopy(ints(routing.expertIds(), tokens[t], topK), 0, ids, t * topK, topK);
      System.arraycopy(row(routing.gates(), tokens[t], topK), 0, gates, t * topK, topK);
    }
    double[][] expected = new double[tokens.length][shape.dModel()];
    for (int expert = 0; expert < shape.experts(); expert++) {
      int wanted = expert;
      if (IntStream.of(ids).anyMatch(id -> id == wanted)) {
        add(expert, ids, gates, in, expected);
      }
    }
    RelativeError error = new RelativeError();
    for (int t = 0; t < tokens.length; t++) {
      float[] actual = row(out, tokens[t], shape.dModel());
      for (int i = 0; i < actual.length; i++) {
        error.add(actual[i], expected[t][i]);
      }
    }
    return error.value();
  }

  private void add(int expert, int[] ids, float[] gates, Tensor in, double[][] sums) {
    Matrix up = matrix("experts.up", expert, shape.dHidden(), shape.dModel());
    Matrix gate =
        shape.gated() ? matrix("experts.gate", expert, shape.dHidden(), shape.dModel()) : null;
    Matrix down = matrix("experts.down", expert, shape.dModel(), shape.dHidden());
    for (int slot = 0; slot < ids.length; slot++) {
      if (ids[slot] != expert) {
        continue;
      }
      int token = slot / shape.topK();
      double[] hidden = hidden(up, gate, doubles(row(in, tokens[token], shape.dModel())));
      double[] result = down.times(hidden);
      for (int i = 0; i < result.length; i++) {
        sums[token][i] += gates[slot] * result[i];
      }
    }
  }

  private static double[] hidden(Matrix up, @Nullable Matrix gate, double[] in) {
    double[] hidden = up.times(in);
    double[] gates = gate == null ? hidden : gate.times(in);
    for (int i = 0; i < hidden.length; i++) {
      double active = gate == null ? gelu(hidden[i]) : gates[i] / (1 + Math.exp(-gates[i]));
      hidden[i] = gate == null ? active : active * hidden[i];
    }
    return hidden;
  }

  /// See [Activation#GELU].
  private static double gelu(double x) {
    return 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
  }

  /// Of one expert, `[out, in]`.
  private static final class Matrix {
    private final float[] weights;
    private final float @Nullable [] bias;
    private final int in;

    Matrix(float[] weights, float @Nullable [] bias, int in) {
      this.weights = weights;
      this.bias = bias;
      this.in = in;
    }

    double[] times(double[] vector) {
      return IntStream.range(0, weights.length / in)
          .parallel()
          .mapToDouble(row -> {
            double sum = bias == null ? 0 : bias[row];
            for (int i = 0; i < in; i++) {
              sum += weights[row * in + i] * vector[i];
            }
            return sum;
          })
          .toArray();
    }
  }

  private Matrix matrix(String name, int expert, int out, int in) {
    Parameter bias = parameters.get(name + ".bias");
    return new Matrix(
        row(Objects.requireNonNull(parameters.get(name + ".weight")).value(), expert, out * in),
        bias == null ? null : row(bias.value(), expert, out),
        in);
  }

  /// Elements `index · length` to `(index + 1) · length` of a tensor, as float32.
  private float[] row(Tensor tensor, long index, int length) {
    Tensor part = tensor.view(index * length, Shape.of(length));
    float[] values = new float[length];
    if (tensor.type() == DType.BF16) {
      short[] halves = new short[length];
      stream.download(part, MemorySegment.ofArray(halves));
      for (int i = 0; i < length; i++) {
        values[i] = Float.intBitsToFloat(halves[i] << 16);
      }
    } else {
      stream.download(part, MemorySegment.ofArray(values));
    }
    return values;
  }

  private int[] ints(Tensor tensor, long index, int length) {
    int[] values = new int[length];
    stream.download(tensor.view(index * length, Shape.of(length)), MemorySegment.ofArray(values));
    return values;
  }

  private static double[] doubles(float[] values) {
    return IntStream.range(0, values.length).mapToDouble(i -> values[i]).toArray();
  }
}
