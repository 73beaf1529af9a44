package moe.conformance.fault;

import com.example.plain.PlainBackendFactory;
import com.example.plain.PlainCombinerFactory;
import com.example.plain.PlainDispatcherFactory;
import com.example.plain.PlainExpertsFactory;
import com.example.plain.PlainRouterFactory;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import moe.conformance.trial.Subject;
import moe.router.energy.EnergyTttRouterFactory;
import moe.spi.Availability;
import moe.spi.BackendFactory;
import moe.spi.device.Backend;
import moe.spi.device.DenseOps;
import moe.spi.device.DeviceInfo;
import moe.spi.device.DeviceStream;
import moe.spi.device.Tensor;
import moe.spi.stage.Combiner;
import moe.spi.stage.Dispatcher;
import moe.spi.stage.ExpertExecutor;
import moe.spi.stage.FusedMoe;
import moe.spi.stage.Router;
import moe.spi.stage.StageFactory;

/// The example backend with one thing broken.
///
/// @param rule that must fail
/// @param what is wrong, for the test's name
/// @param others rules of the same group that fail too
record Broken(String rule, String what, Subject subject, Set<String> others) {
  static final UnaryOperator<Router> ROUTER = router -> router;
  static final UnaryOperator<Dispatcher> DISPATCHER = dispatcher -> dispatcher;
  static final UnaryOperator<ExpertExecutor> EXPERTS = experts -> experts;
  static final UnaryOperator<Combiner> COMBINER = combiner -> combiner;
  static final UnaryOperator<FusedMoe> FUSION = fusion -> fusion;

  @Override
  public String toString() {
    return rule + ": " + what;
  }

  /// All in order.
  static Subject healthy() {
    return new Subject(new Wrapping(ForwardingBackend::new), stages());
  }

  static List<StageFactory<?>> stages() {
    return List.of(
        new ForwardingFactory.OfRouter(new PlainRouterFactory(), ROUTER),
        new ForwardingFactory.OfRouter(new EnergyTttRouterFactory(), ROUTER),
        new ForwardingFactory.OfDispatcher(new PlainDispatcherFactory(), DISPATCHER),
        new ForwardingFactory.OfExperts(new PlainExpertsFactory(), EXPERTS),
        new ForwardingFactory.OfCombiner(new PlainCombinerFactory(), COMBINER),
        new ForwardingFactory.OfFusion(new ComposedFusionFactory(), FUSION));
  }

  /// The healthy stages with one in place of the one of its kind.
  static List<StageFactory<?>> with(StageFactory<?> stage) {
    List<StageFactory<?>> all = new ArrayList<>(stages());
    all.replaceAll(one -> one.name().equals(stage.name()) ? stage : one);
    if (!all.contains(stage)) {
      all.add(stage);
    }
    return all;
  }

  static Broken stage(String rule, String what, StageFactory<?> stage, String... others) {
    return new Broken(
        rule, what, new Subject(new Wrapping(ForwardingBackend::new), with(stage)), Set.of(others));
  }

  static Broken backend(
      String rule, String what, Function<Backend, Backend> change, String... others) {
    return new Broken(rule, what, new Subject(new Wrapping(change), stages()), Set.of(others));
  }

  static Broken factory(String rule, String what, BackendFactory factory, String... others) {
    return new Broken(rule, what, new Subject(factory, stages()), Set.of(others));
  }

  static Broken dense(
      String rule, String what, Function<DenseOps, DenseOps> change, String... others) {
    return backend(
        rule,
        what,
        real ->
            new ForwardingBackend(real) {
              private final DenseOps changed = change.apply(real.dense());

              @Override
              public DenseOps dense() {
                return changed;
              }
            },
        others);
  }

  /// A backend whose streams are changed; it has no stages, which know their own streams.
  static Broken stream(
      String rule, String what, Function<DeviceStream, DeviceStream> change, String... others) {
    Function<Backend, Backend> streams =
        real ->
            new ForwardingBackend(real) {
              @Override
              public DeviceStream newStream() {
                return change.apply(real.newStream());
              }

              @Override
              public DenseOps dense() {
                return new UnwrappingOps(real.dense());
              }
            };
    return new Broken(rule, what, new Subject(new Wrapping(streams), List.of()), Set.of(others));
  }

  /// Opens the example backend and changes it.
  static class Wrapping implements BackendFactory {
    final PlainBackendFactory real = new PlainBackendFactory();
    private final Function<Backend, Backend> change;

    Wrapping(Function<Backend, Backend> change) {
      this.change = change;
    }

    @Override
    public String name() {
      return real.name();
    }

    @Override
    public int spiVersion() {
      return real.spiVersion();
    }

    @Override
    public Availability probe() {
      return real.probe();
    }

    @Override
    public Backend open(DeviceInfo device) {
      return change.apply(real.open(device));
    }
  }

  /// The memory of an F32 tensor of the example backend.
  static float get(Tensor tensor, long index) {
    return tensor.segment().getAtIndex(ValueLayout.JAVA_FLOAT, index);
  }

  static void set(Tensor tensor, long index, float value) {
    tensor.segment().setAtIndex(ValueLayout.JAVA_FLOAT, index, value);
  }

  static int id(Tensor tensor, long index) {
    return tensor.segment().getAtIndex(ValueLayout.JAVA_INT, index);
  }

  static void setId(Tensor tensor, long index, int value) {
    tensor.segment().setAtIndex(ValueLayout.JAVA_INT, index, value);
  }

  /// What a tensor holds now.
  static MemorySegment copy(Tensor tensor) {
    MemorySegment copy = MemorySegment.ofArray(new int[(int) (tensor.byteSize() / 4)]);
    copy.copyFrom(tensor.segment());
    return copy;
  }
}
