package moe.engine.stage;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import moe.engine.bench.RelativeError;
import moe.engine.model.Buffers;
import moe.engine.oracle.CpuDevice;
import moe.engine.oracle.Weights;
import moe.spi.device.Activation;
import moe.spi.device.DType;
import moe.spi.device.DeviceStream;
import moe.spi.device.Shape;
import moe.spi.device.Tensor;
import moe.spi.stage.FusedMoe;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.Options;
import moe.spi.stage.Parameter;
import moe.spi.stage.ParameterSpec;
import moe.spi.stage.Parameters;
import moe.spi.stage.Routing;
import moe.spi.stage.StageContext;
import moe.spi.stage.StandardParameters;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The baseline against plain sums in double precision, its gradients against differences of them.
final class BaselineMoeTest {
  private static final int TOKENS = 5;
  private static final int D_MODEL = 3;
  private static final int D_HIDDEN = 4;
  // Expert 1 has no token, and one slot is unused.
  private static final int[] IDS = {0, 2, 3, 0, 2, -1, 0, 3, 2, 0};
  private static final int TOP_K = 2;
  private static final double STEP = 1e-5;

  private final CpuDevice cpu = new CpuDevice();
  private final Buffers buffers = new Buffers(cpu.backend());
  private final DeviceStream stream = cpu.backend().newStream();
  private final SplittableRandom random = new SplittableRandom(17);
  private final Map<String, double[]> values = new LinkedHashMap<>();

  @AfterEach
  void close() {
    cpu.close();
  }

  @ParameterizedTest(name = "gated {0}, biases {1}")
  @CsvSource({"false, true", "true, false", "true, true"})
  void equalsPlainSumsForwardAndBackward(boolean gated, boolean bias) {
    LayerSpec spec =
        new LayerSpec(
            TOKENS, D_MODEL, D_HIDDEN, 4, TOP_K, Activation.SILU, gated, bias, DType.F32, true);
    List<Parameter> parameters = new ArrayList<>();
    for (ParameterSpec parameter : StandardParameters.feedForward(spec)) {
      Tensor value = random(parameter.name(), parameter.shape());
      parameters.add(
          new Parameter(parameter.name(), value, buffers.allocate(DType.F32, parameter.shape())));
    }
    Tensor tokens = random("tokens", Shape.of(TOKENS, D_MODEL));
    Tensor ids = buffers.i32(TOKENS, TOP_K);
    stream.upload(MemorySegment.ofArray(IDS), ids);
    Routing routing = new Routing(ids, random("gates", Shape.of(TOKENS, TOP_K)));
    Tensor dOut = random("dOut", Shape.of(TOKENS, D_MODEL));
    Tensor out = buffers.f32(TOKENS, D_MODEL);
    Tensor dGates = random("before", Shape.of(TOKENS, TOP_K));
    Tensor dTokens = buffers.f32(TOKENS, D_MODEL);
    try (FusedMoe baseline =
        new BaselineMoeFactory()
            .create(
                new StageContext(cpu.backend(), spec, new Parameters(parameters), Options.NONE))) {
      baseline.run(tokens, routing, out, stream);
      baseline.backward().orElseThrow().backward(tokens, routing, dOut, dGates, dTokens, stream);
    }
    // Float32 against double precision, and differences of step 1e-5; measured: 1e-7.
    assertThat(RelativeError.of(download(out), Weights.toFloats(forward()))).isLessThan(1e-5);
    assertGradient("tokens", dTokens);
    assertGradient("gates", dGates);
    for (Parameter parameter : parameters) {
      assertGradient(parameter.name(), Objects.requireNonNull(parameter.gradient()));
    }
  }

  private void assertGradient(String name, Tensor gradient) {
    double[] at = value(name);
    float[] expected = new float[at.length];
    for (int i = 0; i < at.length; i++) {
      double before = at[i];
      at[i] = before + STEP;
      double more = loss();
      at[i] = before - STEP;
      expected[i] = (float) ((more - loss()) / (2 * STEP));
      at[i] = before;
    }
    assertThat(RelativeError.of(download(gradient), expected)).as(name).isLessThan(1e-5);
  }

  private double loss() {
    double[] out = forward();
    double sum = 0;
    for (int i = 0; i < out.length; i++) {
      sum += out[i] * value("dOut")[i];
    }
    return sum;
  }

  private double[] forward() {
    double[] out = new double[TOKENS * D_MODEL];
    for (int slot = 0; slot < IDS.length; slot++) {
      if (IDS[slot] >= 0) {
        int token = slot / TOP_K;
        double[] hidden = new double[D_HIDDEN];
        for (int h = 0; h < D_HIDDEN; h++) {
          double up = linear("experts.up", IDS[slot], h, D_HIDDEN, tokenAt(token));
          hidden[h] =
              values.containsKey("experts.gate.weight")
                  ? silu(linear("experts.gate", IDS[slot], h, D_HIDDEN, tokenAt(token))) * up
                  : silu(up);
        }
        for (int d = 0; d < D_MODEL; d++) {
          out[token * D_MODEL + d] +=
              value("gates")[slot] * linear("experts.down", IDS[slot], d, D_MODEL, hidden);
        }
      }
    }
    return out;
  }

  private double[] tokenAt(int token) {
    return Arrays.copyOfRange(value("tokens"), token * D_MODEL, (token + 1) * D_MODEL);
  }

  private double linear(String name, int expert, int row, int rows, double[] x) {
    double sum =
        values.containsKey(name + ".bias") ? value(name + ".bias")[expert * rows + row] : 0;
    for (int i = 0; i < x.length; i++) {
      sum += value(name + ".weight")[(expert * rows + row) * x.length + i] * x[i];
    }
    return sum;
  }

  private static double silu(double x) {
    return x / (1 + Math.exp(-x));
  }

  private double[] value(String name) {
    return Objects.requireNonNull(values.get(name));
  }

  private Tensor random(String name, Shape shape) {
    float[] floats = new float[Math.toIntExact(shape.elements())];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = (float) random.nextGaussian();
    }
    values.put(name, Weights.toDoubles(floats));
    Tensor tensor = buffers.allocate(DType.F32, shape);
    stream.upload(MemorySegment.ofArray(floats), tensor);
    return tensor;
  }

  private float[] download(Tensor tensor) {
    float[] floats = new float[Math.toIntExact(tensor.shape().elements())];
    stream.download(tensor, MemorySegment.ofArray(floats));
    return floats;
  }
}
