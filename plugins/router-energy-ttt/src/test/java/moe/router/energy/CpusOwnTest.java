package moe.router.energy;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Random;
import moe.backend.cpu.stage.EnergyTttRouterFactory;
import moe.spi.device.Tensor;
import moe.spi.stage.EnergyPrices;
import moe.spi.stage.Router;
import moe.spi.stage.Routing;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The router that the CPU backend ships under the same name.
final class CpusOwnTest {
  private static final int TOKENS = 40;

  @ParameterizedTest
  @ValueSource(strings = {"none", "local", "lm"})
  void routesAndLearnsAsTheOneForAllBackendsToTheBit(String objective) {
    for (double lambda : new double[] {0, 0.1, 2}) {
      for (double p : new double[] {0.6, 1}) {
        try (Bench at = new Bench(TOKENS, 16, 9, 4)) {
          Object[] settings = {
            "lambda_energy",
            lambda,
            "selection",
            p < 1 ? "top-p" : "top-k",
            "p",
            p,
            "ttt",
            objective,
            "ttt_rate",
            0.5,
            "chunk_size",
            50L,
            "ttt_every",
            2L
          };
          Router any = at.energy(settings);
          Router own = at.energy(new EnergyTttRouterFactory(), settings);
          for (Router router : List.of(any, own)) {
            at.write(router.balanceBias().orElseThrow(), 0, 0.2f, 0, -0.1f, 0, 0, 0.3f, 0, 0);
            router.adaptation().orElseThrow().price(new EnergyPrices(3, 1), at.stream);
          }
          for (int call = 0; call < 8; call++) {
            Tensor x = at.normal(new Random(call), 1, TOKENS, 16);
            Routing expected = at.routing(TOKENS);
            Routing actual = at.routing(TOKENS);
            any.route(x, expected, at.stream);
            own.route(x, actual, at.stream);
            assertThat(at.ids(actual)).isEqualTo(at.ids(expected));
            assertThat(at.read(actual.gates())).isEqualTo(at.read(expected.gates()));
            Tensor dGates = at.normal(new Random(99), 1, TOKENS, 4);
            Tensor dX = at.tensor(TOKENS, 16);
            any.backward().orElseThrow().backward(x, expected, dGates, dX, at.stream);
            own.backward().orElseThrow().backward(x, actual, dGates, dX, at.stream);
          }
          own.adaptation()
              .orElseThrow()
              .state()
              .forEach((name, state) ->
                  assertThat(at.read(state))
                      .as(name)
                      .isEqualTo(at.read(FastWeightsTest.state(any, name))));
          assertThat(own.adaptation().orElseThrow().progress())
              .isEqualTo(any.adaptation().orElseThrow().progress());
        }
      }
    }
  }
}
