package moe.conformance.fault;

import static moe.conformance.fault.Broken.get;
import static moe.conformance.fault.Broken.set;
import static moe.conformance.fault.Broken.stage;

import com.example.plain.PlainRouterFactory;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.UnaryOperator;
import moe.router.energy.EnergyTttRouterFactory;
import moe.spi.device.DeviceStream;
import moe.spi.device.Tensor;
import moe.spi.stage.Router;
import moe.spi.stage.Routing;

/// Routers `energy-ttt` that are wrong.
final class EnergyFaults {
  private EnergyFaults() {}

  static List<Broken> all() {
    return List.of(
        energy(
            "ROUT-6",
            "the first gate is one bit too large",
            router ->
                new ForwardingStages.OfRouter(router) {
                  @Override
                  public void route(Tensor tokens, Routing out, DeviceStream stream) {
                    real.route(tokens, out, stream);
                    if (tokens.shape().dim(0) > 0) {
                      set(out.gates(), 0, Math.nextUp(get(out.gates(), 0)));
                    }
                  }
                }),
        stage(
            "ROUT-7",
            "it is topk under another name",
            new ForwardingFactory.OfRouter(new PlainRouterFactory(), Broken.ROUTER) {
              @Override
              public String name() {
                return "energy-ttt";
              }
            },
            "ROUT-8"),
        energy(
            "ROUT-8",
            "it moves twice as far as it should",
            router ->
                new ForwardingStages.OfRouter(router) {
                  @Override
                  public void route(Tensor tokens, Routing out, DeviceStream stream) {
                    real.route(tokens, out, stream);
                    twice(real);
                  }
                }),
        energy(
            "GRAD-14",
            "it moves twice as far as the gradient says",
            router ->
                new ForwardingStages.OfRouter(router) {
                  @Override
                  public Optional<Router.Backward> backward() {
                    return real.backward()
                        .map(gradient ->
                            (tokens, routing, dGates, dTokens, stream) -> {
                              gradient.backward(tokens, routing, dGates, dTokens, stream);
                              twice(real);
                            });
                  }
                }));
  }

  private static Broken energy(String rule, String what, UnaryOperator<Router> change) {
    return stage(rule, what, new ForwardingFactory.OfRouter(new EnergyTttRouterFactory(), change));
  }

  private static void twice(Router router) {
    Tensor fast = Objects.requireNonNull(router.adaptation().orElseThrow().state().get("fast"));
    for (int i = 0; i < fast.shape().elements(); i++) {
      set(fast, i, 2 * get(fast, i));
    }
  }
}
