package moe.conformance.trial;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import moe.conformance.reference.Bounded;
import moe.conformance.reference.Sums;
import moe.spi.Support;
import moe.spi.device.DType;
import moe.spi.device.Shape;
import moe.spi.device.Tensor;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.Options;
import moe.spi.stage.Parameter;
import moe.spi.stage.ParameterSpec;
import moe.spi.stage.Parameters;
import moe.spi.stage.Router;
import moe.spi.stage.RouterFactory;
import moe.spi.stage.Stage;
import moe.spi.stage.StageContext;
import moe.spi.stage.StageFactory;

/// A MoE block's parameters on the device and on the host.
public final class BlockBench {
  private final Workbench at;
  private final LayerSpec spec;
  private final Parameters parameters;
  private final Map<String, double[]> weights = new LinkedHashMap<>();
  private final Map<String, double[]> before = new LinkedHashMap<>();

  /// Parameters of random numbers: biases of deviation 1/2, weights of 1/√in, so that all layers
  /// have results near 1.
  ///
  /// @param exact draws multiples of 1/8 instead
  public BlockBench(
      Workbench at, LayerSpec spec, List<ParameterSpec> declared, Draw draw, boolean exact) {
    this.at = at;
    this.spec = spec;
    List<Parameter> made = new ArrayList<>();
    for (ParameterSpec parameter : declared) {
      int n = Math.toIntExact(parameter.shape().elements());
      double deviation =
          parameter.name().endsWith("bias")
              ? 0.5
              : 1 / Math.sqrt((double) parameter.shape().lastDim());
      double[] values =
          exact
              ? draw.eighths(n)
              : parameter.type() == DType.BF16
                  ? draw.halves(n, deviation)
                  : draw.normal(n, deviation);
      long[] dims = dims(parameter.shape());
      // Not an input: some rules change weights between calls.
      Tensor value = at.tensor(parameter.name(), parameter.type(), values, true, dims);
      Tensor gradient = null;
      if (spec.training()) {
        double[] start = draw.normal(n);
        gradient = at.accumulator("the gradient of " + parameter.name(), start, dims);
        before.put(parameter.name(), start);
      }
      weights.put(parameter.name(), values);
      made.add(new Parameter(parameter.name(), value, gradient));
    }
    parameters = new Parameters(made);
  }

  /// The parameters that one factory declares.
  public static BlockBench of(Workbench at, LayerSpec spec, StageFactory<?> factory, Draw draw) {
    return new BlockBench(at, spec, factory.parameters(spec), draw, false);
  }

  /// Changes all weights in place, as the optimiser does.
  public void redraw(Draw draw) {
    weights.replaceAll((name, values) -> {
      double[] other = draw.normal(values.length, 0.2);
      at.write(parameters.get(name).value(), other);
      return other;
    });
  }

  public LayerSpec spec() {
    return spec;
  }

  /// The parameters' values by name.
  public Map<String, double[]> weights() {
    return weights;
  }

  public Parameters parameters() {
    return parameters;
  }

  /// What a stage is made from.
  public StageContext context() {
    return new StageContext(at.backend(), spec, parameters, Options.NONE);
  }

  /// Makes a stage, closed at the end of the trial; or nothing if the factory refuses, which must
  /// come with a reason, before and at `create`.
  public <S extends Stage> Optional<S> create(StageFactory<S> factory) {
    return switch (factory.supports(spec, at.backend())) {
      case Support.Yes() -> make(factory);
      case Support.No(String reason) -> {
        refuses(factory, context(), reason);
        at.refused(reason);
        yield Optional.empty();
      }
    };
  }

  /// A stage that cannot be without settings of its own says so, and is left out.
  private <S extends Stage> Optional<S> make(StageFactory<S> factory) {
    Optional<S> made = unlessSettingsAreMissing(factory);
    if (made.isEmpty()) {
      at.refused("it needs settings of its own");
    }
    return made.map(at::own);
  }

  /// A stage, closed by the caller; nothing if it cannot be without settings of its own.
  public <S extends Stage> Optional<S> unlessSettingsAreMissing(StageFactory<S> factory) {
    try {
      return Optional.of(factory.create(context(factory)));
    } catch (MoeException e) {
      if (e.kind() != ErrorKind.USAGE) {
        throw e;
      }
      return Optional.empty();
    }
  }

  /// What this factory's stage is made from: with the router that it builds on, if it does.
  public StageContext context(StageFactory<?> factory) {
    return context(factory, spec);
  }

  /// The same for another block with these parameters.
  public StageContext context(StageFactory<?> factory, LayerSpec other) {
    return context(factory, other, Options.NONE);
  }

  /// The same with settings.
  public StageContext context(StageFactory<?> factory, Options options) {
    return context(factory, spec, options);
  }

  private StageContext context(StageFactory<?> factory, LayerSpec other, Options options) {
    Optional<StageFactory<Router>> base =
        factory instanceof RouterFactory router
            ? router
                .base()
                .flatMap(name -> at.subject().find(RouterFactory.class, name))
                .map(found -> found)
            : Optional.empty();
    return new StageContext(
        at.backend(), other, parameters, options, base, StageContext.Place.ONLY);
  }

  /// Makes a stage that every backend has to offer.
  public <S extends Stage> S require(StageFactory<S> factory) {
    return create(factory)
        .orElseThrow(() ->
            new Violation(
                "%s refuses %s: every backend offers this"
                    .formatted(factory.name(), factory.supports(spec, at.backend()))));
  }

  /// Fails unless `create` throws what `supports` said.
  public static void refuses(StageFactory<?> factory, StageContext context, String reason) {
    if (reason.isBlank() || reason.lines().count() != 1) {
      throw new Violation("%s refuses without a reason in one line".formatted(factory.name()));
    }
    try {
      factory.create(context).close();
    } catch (MoeException e) {
      if (e.kind() == ErrorKind.UNSUPPORTED) {
        return;
      }
      throw new Violation(
          "%s: supports says no, then create throws kind %s, not UNSUPPORTED"
              .formatted(factory.name(), e.kind()),
          e);
    }
    throw new Violation(
        "%s: supports says no (%s), and create works".formatted(factory.name(), reason));
  }

  /// What was added to each parameter's gradient.
  public Map<String, double[]> readGradients() {
    Map<String, double[]> added = new LinkedHashMap<>();
    for (Parameter parameter : parameters.all()) {
      Tensor gradient = parameter.gradient();
      double[] start = before.get(parameter.name());
      if (gradient != null && start != null) {
        double[] values = at.read(gradient);
        for (int i = 0; i < values.length; i++) {
          values[i] -= start[i];
        }
        added.put(parameter.name(), values);
      }
    }
    return added;
  }

  /// Fails unless these gradients were added to the parameters'.
  public void compareGradients(Map<String, Sums> gradients) {
    gradients.forEach((name, sums) -> compareGradient(name, sums.bounded()));
  }

  /// Fails unless this gradient was added to a parameter's.
  public void compareGradient(String name, Bounded gradient) {
    Tensor tensor = parameters.get(name).gradient();
    double[] start = before.get(name);
    if (tensor == null || start == null) {
      throw new IllegalStateException("not training");
    }
    at.compare("the gradient of " + name, tensor, gradient.addedTo(start));
  }

  /// The extents of a shape.
  public static long[] dims(Shape shape) {
    long[] dims = new long[shape.rank()];
    for (int i = 0; i < dims.length; i++) {
      dims[i] = shape.dim(i);
    }
    return dims;
  }
}
