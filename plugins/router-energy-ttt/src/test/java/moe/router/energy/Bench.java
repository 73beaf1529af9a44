package moe.router.energy;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import moe.backend.cpu.CpuBackendFactory;
import moe.backend.cpu.stage.TopKRouterFactory;
import moe.spi.Availability;
import moe.spi.device.Activation;
import moe.spi.device.Backend;
import moe.spi.device.DType;
import moe.spi.device.DeviceStream;
import moe.spi.device.Shape;
import moe.spi.device.Tensor;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.Options;
import moe.spi.stage.Parameter;
import moe.spi.stage.Parameters;
import moe.spi.stage.Router;
import moe.spi.stage.RouterFactory;
import moe.spi.stage.Routing;
import moe.spi.stage.StageContext;
import moe.spi.stage.energy.ExpertCosts;

/// A router's parameters and calls on one backend; the CPU's, unless another is given.
final class Bench implements AutoCloseable {
  final Backend backend;
  final DeviceStream stream;
  final LayerSpec spec;
  final RouterFactory topK;
  final Parameter weight;
  final Parameter bias;
  private final List<Runnable> owned = new ArrayList<>();

  Bench(int tokens, int dModel, int experts, int k) {
    this(cpu(), new TopKRouterFactory(), tokens, dModel, experts, k);
  }

  Bench(Backend backend, RouterFactory topK, int tokens, int dModel, int experts, int k) {
    this.backend = backend;
    this.stream = backend.newStream();
    this.topK = topK;
    spec =
        new LayerSpec(
            tokens, dModel, 32, experts, k, Activation.GELU, false, true, DType.F32, true);
    weight = parameter("router.weight", experts, dModel);
    bias = parameter("router.bias", experts);
  }

  private static Backend cpu() {
    CpuBackendFactory factory = new CpuBackendFactory();
    if (factory.probe() instanceof Availability.Available(var devices)) {
      return factory.open(devices.getFirst());
    }
    throw new IllegalStateException("no CPU");
  }

  private Parameter parameter(String name, long... extents) {
    Random random = new Random(name.hashCode());
    return new Parameter(name, normal(random, 0.5, extents), tensor(extents));
  }

  Tensor tensor(long... extents) {
    return own(backend.allocate(DType.F32, Shape.of(extents)));
  }

  Tensor normal(Random random, double deviation, long... extents) {
    Tensor tensor = tensor(extents);
    float[] values = new float[(int) tensor.shape().elements()];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) (deviation * random.nextGaussian());
    }
    write(tensor, values);
    return tensor;
  }

  private Tensor own(Tensor tensor) {
    owned.add(tensor::close);
    return tensor;
  }

  private Router own(Router router) {
    owned.add(router::close);
    return router;
  }

  void write(Tensor tensor, float... values) {
    stream.upload(MemorySegment.ofArray(values), tensor);
  }

  float[] read(Tensor tensor) {
    float[] values = new float[(int) tensor.shape().elements()];
    stream.download(tensor, MemorySegment.ofArray(values));
    return values;
  }

  int[] ids(Routing routing) {
    int[] ids = new int[(int) routing.expertIds().shape().elements()];
    stream.download(routing.expertIds(), MemorySegment.ofArray(ids));
    return ids;
  }

  Routing routing(long tokens) {
    return new Routing(
        own(backend.allocate(DType.I32, Shape.of(tokens, spec.topK()))),
        tensor(tokens, spec.topK()));
  }

  private StageContext context(Options options, boolean withBase) {
    return new StageContext(
        backend,
        spec,
        new Parameters(List.of(weight, bias)),
        options,
        withBase ? Optional.of(topK) : Optional.empty(),
        StageContext.Place.ONLY);
  }

  Router plain() {
    return own(topK.create(context(Options.NONE, false)));
  }

  /// @param settings keys and values in turn
  Router energy(Object... settings) {
    return energy(new EnergyTttRouterFactory(), settings);
  }

  Router energy(RouterFactory factory, Object... settings) {
    return own(factory.create(context(options(settings), true)));
  }

  Router energy(ExpertCosts costs, Object... settings) {
    return own(new EnergyTttRouter(context(options(settings), true), topK, costs));
  }

  static Options options(Object... settings) {
    Map<String, Object> map = new LinkedHashMap<>();
    for (int i = 0; i < settings.length; i += 2) {
      map.put((String) settings[i], settings[i + 1]);
    }
    return new Options(map);
  }

  /// The gradient of a parameter of this bench, all of which train.
  static Tensor gradient(Parameter parameter) {
    return Objects.requireNonNull(parameter.gradient());
  }

  /// The logits `W·x + b` in double precision.
  double[] logits(Tensor tokens) {
    float[] x = read(tokens);
    float[] w = read(weight.value());
    float[] b = read(bias.value());
    int width = spec.dModel();
    double[] z = new double[x.length / width * b.length];
    for (int i = 0; i < z.length; i++) {
      int token = i / b.length;
      int e = i % b.length;
      z[i] = b[e];
      for (int c = 0; c < width; c++) {
        z[i] += (double) x[token * width + c] * w[e * width + c];
      }
    }
    return z;
  }

  @Override
  public void close() {
    owned.reversed().forEach(Runnable::run);
    stream.close();
    backend.close();
  }
}
