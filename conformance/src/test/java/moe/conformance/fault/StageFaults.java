package moe.conformance.fault;

import static moe.conformance.fault.Broken.copy;
import static moe.conformance.fault.Broken.get;
import static moe.conformance.fault.Broken.id;
import static moe.conformance.fault.Broken.set;
import static moe.conformance.fault.Broken.setId;
import static moe.conformance.fault.Broken.stage;

import com.example.plain.PlainBackendFactory;
import com.example.plain.PlainCombinerFactory;
import com.example.plain.PlainDispatcherFactory;
import com.example.plain.PlainRouterFactory;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import moe.spi.device.DeviceInfo;
import moe.spi.device.DeviceStream;
import moe.spi.device.Tensor;
import moe.spi.stage.Combiner;
import moe.spi.stage.Dispatched;
import moe.spi.stage.Dispatcher;
import moe.spi.stage.Router;
import moe.spi.stage.Routing;

/// Routers, dispatchers and combiners that are wrong.
final class StageFaults {
  private StageFaults() {}

  static List<Broken> all() {
    return List.of(
        router(
            "ROUT-1",
            "gates of many tokens are not renormalised",
            router ->
                new ForwardingStages.OfRouter(router) {
                  @Override
                  public void route(Tensor tokens, Routing out, DeviceStream stream) {
                    real.route(tokens, out, stream);
                    for (int i = 0; tokens.shape().dim(0) > 500 && i < 1000; i++) {
                      set(out.gates(), i, 0.5f * get(out.gates(), i));
                    }
                  }
                }),
        router("ROUT-2", "of equals the later wins", StageFaults::later, "ROUT-1", "ROUT-3"),
        router("ROUT-3", "a token of NaN goes to no expert there is", StageFaults::outOfRange),
        router(
            "ROUT-4",
            "the balance bias has no effect",
            router ->
                new ForwardingStages.OfRouter(router) {
                  @Override
                  public Optional<Tensor> balanceBias() {
                    return real.balanceBias().map(StageFaults::another);
                  }
                },
            "ROUT-7"),
        stage(
            "ROUT-5",
            "another router's gates do not sum to 1",
            new ForwardingFactory.OfRouter(new PlainRouterFactory(), StageFaults::half) {
              @Override
              public String name() {
                return "sloppy";
              }
            }),
        stage(
            "DISP-1",
            "the sort is not stable",
            new ForwardingFactory.OfDispatcher(new PlainDispatcherFactory(), StageFaults::unstable),
            "DISP-2"),
        stage(
            "DISP-2",
            "an unused slot has the position 0",
            new ForwardingFactory.OfDispatcher(
                new PlainDispatcherFactory(), StageFaults::unusedAtZero)),
        stage(
            "DISP-3",
            "it says that it copies rows, and does not",
            new ForwardingFactory.OfDispatcher(
                new PlainDispatcherFactory(),
                dispatcher ->
                    new ForwardingStages.OfDispatcher(dispatcher) {
                      @Override
                      public boolean copiesRows() {
                        return true;
                      }
                    })),
        combiner(
            "COMB-1",
            "the last of many tokens is left out",
            combiner ->
                new ForwardingStages.OfCombiner(combiner) {
                  @Override
                  public void combine(
                      Tensor expertRows,
                      Dispatched dispatched,
                      Routing routing,
                      Tensor out,
                      DeviceStream stream) {
                    real.combine(expertRows, dispatched, routing, out, stream);
                    if (out.shape().dim(0) > 500) {
                      set(out, out.shape().elements() - 1, 0);
                    }
                  }
                }),
        combiner("COMB-2", "a token without experts is not written", StageFaults::left, "COMB-3"),
        combiner("COMB-3", "NaN spreads to the first token", StageFaults::spreading));
  }

  private static Broken router(
      String rule, String what, UnaryOperator<Router> change, String... others) {
    return stage(
        rule, what, new ForwardingFactory.OfRouter(new PlainRouterFactory(), change), others);
  }

  private static Broken combiner(
      String rule, String what, UnaryOperator<Combiner> change, String... others) {
    return stage(
        rule, what, new ForwardingFactory.OfCombiner(new PlainCombinerFactory(), change), others);
  }

  // Memory that nobody reads.
  private static Tensor another(Tensor bias) {
    return new PlainBackendFactory()
        .open(new DeviceInfo("example", 0, "aside", 1 << 20))
        .allocate(bias.type(), bias.shape());
  }

  private static Router later(Router router) {
    return new ForwardingStages.OfRouter(router) {
      @Override
      public void route(Tensor tokens, Routing out, DeviceStream stream) {
        real.route(tokens, out, stream);
        int topK = (int) out.gates().shape().lastDim();
        for (int slot = 1; slot < out.gates().shape().elements(); slot++) {
          if (slot % topK > 0 && get(out.gates(), slot) == get(out.gates(), slot - 1)) {
            int first = id(out.expertIds(), slot - 1);
            setId(out.expertIds(), slot - 1, id(out.expertIds(), slot));
            setId(out.expertIds(), slot, first);
          }
        }
      }
    };
  }

  private static Router outOfRange(Router router) {
    return new ForwardingStages.OfRouter(router) {
      @Override
      public void route(Tensor tokens, Routing out, DeviceStream stream) {
        real.route(tokens, out, stream);
        for (int slot = 0; slot < out.gates().shape().elements(); slot++) {
          if (Float.isNaN(get(out.gates(), slot))) {
            setId(out.expertIds(), slot, 1 << 20);
          }
        }
      }
    };
  }

  private static Router half(Router router) {
    return new ForwardingStages.OfRouter(router) {
      @Override
      public void route(Tensor tokens, Routing out, DeviceStream stream) {
        real.route(tokens, out, stream);
        set(out.gates(), 0, 0.5f * get(out.gates(), 0));
      }
    };
  }

  private static Dispatcher unstable(Dispatcher dispatcher) {
    return new ForwardingStages.OfDispatcher(dispatcher) {
      @Override
      public void dispatch(Tensor tokens, Routing routing, Dispatched out, DeviceStream stream) {
        real.dispatch(tokens, routing, out, stream);
        if (id(out.offsets(), 1) >= 2) {
          int first = id(out.assignments(), 0);
          int second = id(out.assignments(), 1);
          setId(out.assignments(), 0, second);
          setId(out.assignments(), 1, first);
          setId(out.positions(), first, 1);
          setId(out.positions(), second, 0);
        }
      }
    };
  }

  private static Dispatcher unusedAtZero(Dispatcher dispatcher) {
    return new ForwardingStages.OfDispatcher(dispatcher) {
      @Override
      public void dispatch(Tensor tokens, Routing routing, Dispatched out, DeviceStream stream) {
        real.dispatch(tokens, routing, out, stream);
        for (int slot = 0; slot < out.positions().shape().elements(); slot++) {
          setId(out.positions(), slot, Math.max(id(out.positions(), slot), 0));
        }
      }
    };
  }

  private static Combiner left(Combiner combiner) {
    return new ForwardingStages.OfCombiner(combiner) {
      @Override
      public void combine(
          Tensor expertRows,
          Dispatched dispatched,
          Routing routing,
          Tensor out,
          DeviceStream stream) {
        MemorySegment before = copy(out);
        real.combine(expertRows, dispatched, routing, out, stream);
        int width = (int) out.shape().lastDim();
        int topK = (int) routing.gates().shape().lastDim();
        for (int i = 0; i < out.shape().elements(); i++) {
          boolean used = false;
          for (int k = 0; k < topK; k++) {
            used |= id(dispatched.positions(), i / width * topK + k) >= 0;
          }
          if (!used) {
            set(out, i, before.getAtIndex(ValueLayout.JAVA_FLOAT, i));
          }
        }
      }
    };
  }

  private static Combiner spreading(Combiner combiner) {
    return new ForwardingStages.OfCombiner(combiner) {
      @Override
      public void combine(
          Tensor expertRows,
          Dispatched dispatched,
          Routing routing,
          Tensor out,
          DeviceStream stream) {
        real.combine(expertRows, dispatched, routing, out, stream);
        for (int i = 0; i < out.shape().elements(); i++) {
          if (Float.isNaN(get(out, i))) {
            set(out, 0, Float.NaN);
          }
        }
      }
    };
  }
}
