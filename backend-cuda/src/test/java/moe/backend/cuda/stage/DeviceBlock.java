package moe.backend.cuda.stage;

import static java.util.Objects.requireNonNull;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import moe.spi.device.Backend;
import moe.spi.device.DType;
import moe.spi.device.DeviceStream;
import moe.spi.device.Shape;
import moe.spi.device.Tensor;
import moe.spi.stage.Dispatched;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.Parameter;
import moe.spi.stage.ParameterSpec;
import moe.spi.stage.Parameters;
import moe.spi.stage.Routing;
import org.jspecify.annotations.Nullable;

/// A block with random numbers on a device, its tensors as the engine allocates them: whole, and
/// gradients of zeros before.
final class DeviceBlock {
  private final Backend backend;
  private final DeviceStream stream;
  private final LayerSpec spec;
  private final int count;
  private final Map<String, float[]> numbers;

  /// @param count of tokens
  /// @param numbers as `normal` names them
  DeviceBlock(Backend backend, LayerSpec spec, int count, Map<String, float[]> numbers) {
    this.backend = backend;
    this.stream = backend.newStream();
    this.spec = spec;
    this.count = count;
    this.numbers = numbers;
  }

  /// What came out.
  ///
  /// @param values results and gradients by their names
  @SuppressWarnings("ArrayRecordComponent")
  record Result(int[] ids, Map<String, float[]> values) {
    float[] of(String name) {
      return requireNonNull(values.get(name), name);
    }
  }

  /// Normal random numbers: tokens, dOut, biases, and weights that keep the size of what they
  /// multiply.
  static Map<String, float[]> normal(LayerSpec spec, int count, Random random) {
    Map<String, float[]> numbers = new LinkedHashMap<>();
    numbers.put("tokens", normal(random, 1, (long) count * spec.dModel()));
    numbers.put("dOut", normal(random, 1, (long) count * spec.dModel()));
    for (ParameterSpec p : specs(spec)) {
      boolean matrix = p.decayed();
      double deviation = matrix ? Math.sqrt(1.0 / p.shape().lastDim()) : 1;
      numbers.put(p.name(), normal(random, deviation, p.shape().elements()));
    }
    return numbers;
  }

  private static float[] normal(Random random, double deviation, long n) {
    float[] values = new float[(int) n];
    for (int i = 0; i < n; i++) {
      values[i] = (float) (deviation * random.nextGaussian());
    }
    return values;
  }

  private static List<ParameterSpec> specs(LayerSpec spec) {
    List<ParameterSpec> specs = new ArrayList<>(new TopKRouterFactory().parameters(spec));
    specs.addAll(new FusedFfnExecutorFactory().parameters(spec));
    return specs;
  }

  /// Forward, and backward if it trains.
  Result run(boolean fused) {
    List<Parameter> parameters = new ArrayList<>();
    for (ParameterSpec p : specs(spec)) {
      @Nullable Tensor gradient = spec.training() ? zeros(p.shape()) : null;
      parameters.add(new Parameter(p.name(), floats(p.shape(), number(p.name())), gradient));
    }
    long slots = (long) count * spec.topK();
    Shape rows = Shape.of(count, spec.dModel());
    Shape chosen = Shape.of(count, spec.topK());
    Shape sorted = Shape.of(slots, spec.dModel());
    Tensor dTokens = zeros(rows);
    var at =
        new BlockPass.Buffers(
            floats(rows, number("tokens")),
            new Routing(backend.allocate(DType.I32, chosen), garbage(chosen)),
            garbage(rows),
            floats(rows, number("dOut")),
            garbage(chosen),
            dTokens,
            new Dispatched(
                backend.allocate(DType.I32, Shape.of(spec.experts() + 1L)),
                backend.allocate(DType.I32, Shape.of(slots)),
                backend.allocate(DType.I32, Shape.of(slots)),
                null),
            garbage(sorted),
            garbage(sorted));
    new BlockPass(backend, stream, spec, new Parameters(parameters), at).run(fused);
    Map<String, float[]> values = new LinkedHashMap<>();
    values.put("gates", read(at.routing().gates()));
    values.put("out", read(at.out()));
    if (spec.training()) {
      values.put("dGates", read(at.dGates()));
      values.put("dTokens", read(dTokens));
      for (Parameter p : parameters) {
        values.put(p.name(), read(requireNonNull(p.gradient())));
      }
    }
    int[] ids = new int[(int) slots];
    stream.download(at.routing().expertIds(), MemorySegment.ofArray(ids));
    return new Result(ids, values);
  }

  private float[] number(String name) {
    return requireNonNull(numbers.get(name), name);
  }

  private Tensor garbage(Shape shape) {
    float[] values = new float[(int) shape.elements()];
    Arrays.fill(values, Float.NaN);
    return floats(shape, values);
  }

  private Tensor zeros(Shape shape) {
    Tensor tensor = garbage(shape);
    stream.zero(tensor);
    return tensor;
  }

  private Tensor floats(Shape shape, float[] values) {
    Tensor tensor = backend.allocate(DType.F32, shape);
    stream.upload(MemorySegment.ofArray(values), tensor);
    return tensor;
  }

  private float[] read(Tensor tensor) {
    float[] values = new float[(int) tensor.shape().elements()];
    stream.download(tensor, MemorySegment.ofArray(values));
    return values;
  }
}
