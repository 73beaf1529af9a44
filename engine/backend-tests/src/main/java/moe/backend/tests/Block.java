package moe.backend.tests;

import static java.util.Objects.requireNonNull;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import moe.spi.device.DType;
import moe.spi.device.Shape;
import moe.spi.device.Tensor;
import moe.spi.stage.Combiner;
import moe.spi.stage.Dispatched;
import moe.spi.stage.Dispatcher;
import moe.spi.stage.ExpertExecutor;
import moe.spi.stage.FusedMoe;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.Options;
import moe.spi.stage.Parameter;
import moe.spi.stage.ParameterSpec;
import moe.spi.stage.Parameters;
import moe.spi.stage.Router;
import moe.spi.stage.Routing;
import moe.spi.stage.StageContext;
import org.jspecify.annotations.Nullable;

/// A whole block with random weights, by stages and fused, over the same parameters.
public final class Block implements AutoCloseable {
  final LayerSpec spec;
  final Workplace at;
  final Parameters parameters;
  final Router router;
  final Dispatcher dispatcher;
  final ExpertExecutor executor;
  final Combiner combiner;
  final FusedMoe fused;

  final Tensor tokens;
  final Routing routing;
  final Dispatched dispatched;
  final Tensor expertRows;
  final Tensor out;

  /// @param rows of tokens
  public Block(Workplace at, LayerSpec spec, int rows) {
    this.at = at;
    this.spec = spec;
    parameters = parameters(at, spec);
    var context = new StageContext(at.backend, spec, parameters, Options.NONE);
    router = at.stages.router().create(context);
    dispatcher = at.stages.dispatcher().create(context);
    executor = at.stages.executor().create(context);
    combiner = at.stages.combiner().create(context);
    fused = at.stages.fused().create(context);
    int slots = rows * spec.topK();
    tokens = at.random(rows, spec.dModel());
    routing = new Routing(ints(rows, spec.topK()), at.garbage(rows, spec.topK()));
    dispatched = new Dispatched(ints(spec.experts() + 1), ints(slots), ints(slots), null);
    expertRows = at.garbage(slots, spec.dModel());
    out = at.garbage(rows, spec.dModel());
  }

  void route() {
    router.route(tokens, routing, at.stream);
  }

  void forwardStaged() {
    dispatcher.dispatch(tokens, routing, dispatched, at.stream);
    executor.execute(tokens, dispatched, expertRows, at.stream);
    combiner.combine(expertRows, dispatched, routing, out, at.stream);
  }

  void forwardFused(Tensor to) {
    fused.run(tokens, routing, to, at.stream);
  }

  /// Backward of experts and router; the gradients of the parameters are accumulated.
  void backwardStaged(Tensor dOut, Tensor dTokens, Tensor dGates) {
    new StagedBackward(this, dOut, dTokens, dGates).run();
  }

  void backwardFused(Tensor dOut, Tensor dTokens, Tensor dGates) {
    fused.backward().orElseThrow().backward(tokens, routing, dOut, dGates, dTokens, at.stream);
    router.backward().orElseThrow().backward(tokens, routing, dGates, dTokens, at.stream);
  }

  /// The values of all parameters by name.
  Map<String, double[]> weights() {
    Map<String, double[]> weights = new LinkedHashMap<>();
    parameters.all().forEach(p -> weights.put(p.name(), at.numbers(p.value())));
    return weights;
  }

  /// The gradients of all parameters by name, as they are now.
  Map<String, double[]> gradients() {
    Map<String, double[]> gradients = new LinkedHashMap<>();
    parameters
        .all()
        .forEach(p -> gradients.put(p.name(), at.numbers(requireNonNull(p.gradient()))));
    return gradients;
  }

  /// Holds what was added to the gradients to differences of a reference.
  ///
  /// @param before the gradients before
  /// @param function of weights by name
  /// @param dOut of its result
  void assertAdded(
      Map<String, double[]> before,
      Function<Map<String, double[]>, double[]> function,
      double[] dOut,
      double tolerance) {
    Map<String, double[]> weights = weights();
    gradients()
        .forEach((name, actual) -> {
          double[] added =
              Numeric.gradient(
                  v -> {
                    Map<String, double[]> moved = new HashMap<>(weights);
                    moved.put(name, v);
                    return function.apply(moved);
                  },
                  requireNonNull(weights.get(name)),
                  dOut);
          double[] expected = Numeric.plus(requireNonNull(before.get(name)), added);
          Close.assertClose(name, actual, expected, tolerance);
        });
  }

  @Override
  public void close() {
    router.close();
    dispatcher.close();
    executor.close();
    combiner.close();
    fused.close();
  }

  private Tensor ints(long... dims) {
    return at.tensor(DType.I32, Shape.of(dims));
  }

  private static Parameters parameters(Workplace at, LayerSpec spec) {
    List<ParameterSpec> specs = new ArrayList<>(at.stages.router().parameters(spec));
    specs.addAll(at.stages.executor().parameters(spec));
    return new Parameters(specs.stream().map(s -> parameter(at, spec, s)).toList());
  }

  private static Parameter parameter(Workplace at, LayerSpec spec, ParameterSpec s) {
    Tensor value = at.random(dims(s.shape()));
    Tensor gradient = spec.training() ? at.random(dims(s.shape())) : null;
    return parameter(s.name(), s.type() == DType.BF16 ? at.rounded(value) : value, gradient);
  }

  private static Parameter parameter(String name, Tensor value, @Nullable Tensor gradient) {
    return new Parameter(name, value, gradient);
  }

  private static long[] dims(Shape shape) {
    long[] dims = new long[shape.rank()];
    for (int i = 0; i < dims.length; i++) {
      dims[i] = shape.dim(i);
    }
    return dims;
  }
}
