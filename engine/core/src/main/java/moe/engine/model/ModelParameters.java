package moe.engine.model;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import moe.spi.device.Backend;
import moe.spi.device.DType;
import moe.spi.device.DeviceStream;
import moe.spi.device.LinearWeights;
import moe.spi.device.NormWeights;
import moe.spi.device.Tensor;
import moe.spi.stage.Parameter;
import moe.spi.stage.ParameterSpec;
import moe.spi.stage.Parameters;

/// All trained tensors of a model, in the order of the checkpoint.
public final class ModelParameters implements AutoCloseable {
  private final Map<String, ModelParameter> byName = new LinkedHashMap<>();
  private final Buffers buffers;

  private ModelParameters(Buffers buffers) {
    this.buffers = buffers;
  }

  /// Checks that all parameters have a source, then allocates and fills them.
  ///
  /// @param training whether to allocate gradients; all parameters are F32 then
  static ModelParameters load(
      Backend backend,
      List<ParameterSpec> specs,
      boolean training,
      WeightSource source,
      DeviceStream stream) {
    specs.forEach(source::check);
    ModelParameters parameters = new ModelParameters(new Buffers(backend));
    try {
      for (ParameterSpec spec : specs) {
        parameters.add(spec, training, source, stream);
      }
      return parameters;
    } catch (RuntimeException | Error failed) {
      parameters.close();
      throw failed;
    }
  }

  private void add(ParameterSpec spec, boolean training, WeightSource source, DeviceStream stream) {
    DType type = training ? DType.F32 : spec.type();
    Tensor value = buffers.allocate(type, spec.shape());
    Tensor gradient = training ? buffers.allocate(DType.F32, spec.shape()) : null;
    if (!source.equals(WeightSource.ZEROS)) {
      fill(spec, value, source, stream);
    }
    if (byName.put(spec.name(), new ModelParameter(spec, value, gradient)) != null) {
      throw new IllegalStateException("two parameters named " + spec.name());
    }
  }

  // One parameter at a time passes through host memory: the largest, not all of them.
  private static void fill(
      ParameterSpec spec, Tensor value, WeightSource source, DeviceStream stream) {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment floats = arena.allocate(4 * spec.shape().elements(), 64);
      source.fill(spec, floats);
      stream.upload(value.type() == DType.BF16 ? toBf16(floats) : floats, value);
      stream.synchronize();
    }
  }

  // In place: the half that is written never passes the half that is read.
  private static MemorySegment toBf16(MemorySegment floats) {
    long elements = floats.byteSize() / 4;
    for (long i = 0; i < elements; i++) {
      int bits = floats.getAtIndex(ValueLayout.JAVA_INT, i);
      boolean nan = (bits & 0x7FFFFFFF) > 0x7F800000;
      // Round to nearest, ties to even.
      int rounded = nan ? bits | 0x400000 : bits + 0x7FFF + ((bits >>> 16) & 1);
      floats.setAtIndex(ValueLayout.JAVA_SHORT, i, (short) (rounded >>> 16));
    }
    return floats.asSlice(0, 2 * elements);
  }

  /// Every parameter, in the order of the checkpoint.
  public List<ModelParameter> all() {
    return List.copyOf(byName.values());
  }

  /// The parameter with this name.
  ///
  /// @throws IllegalArgumentException if there is none
  public ModelParameter get(String name) {
    ModelParameter parameter = byName.get(name);
    if (parameter == null) {
      throw new IllegalArgumentException("no parameter " + name);
    }
    return parameter;
  }

  /// The parameter with this name, if the model has it.
  public Optional<ModelParameter> find(String name) {
    return Optional.ofNullable(byName.get(name));
  }

  /// The number of trained values.
  public long elements() {
    return byName.values().stream().mapToLong(p -> p.spec().shape().elements()).sum();
  }

  /// The parameters below a prefix, as a stage sees them.
  Parameters below(String prefix) {
    List<Parameter> below = new ArrayList<>();
    for (ModelParameter parameter : byName.values()) {
      String name = parameter.spec().name();
      if (name.startsWith(prefix)) {
        below.add(
            new Parameter(
                name.substring(prefix.length()), parameter.value(), parameter.gradient()));
      }
    }
    return new Parameters(below);
  }

  /// `prefix.weight` with `prefix.bias`, if that exists.
  TrainedLinear linear(String prefix) {
    ModelParameter weight = get(prefix + ".weight");
    ModelParameter bias = byName.get(prefix + ".bias");
    Tensor gradient = weight.gradient();
    return new TrainedLinear(
        new LinearWeights(weight.value(), bias == null ? null : bias.value()),
        gradient == null
            ? null
            : new LinearWeights(gradient, bias == null ? null : bias.gradient()));
  }

  /// `prefix.weight` and `prefix.bias`.
  TrainedNorm norm(String prefix) {
    ModelParameter gain = get(prefix + ".weight");
    ModelParameter bias = get(prefix + ".bias");
    return new TrainedNorm(
        new NormWeights(gain.value(), bias.value()),
        gain.gradient() == null ? null : new NormWeights(gain.trained(), bias.trained()));
  }

  @Override
  public void close() {
    buffers.close();
  }
}
