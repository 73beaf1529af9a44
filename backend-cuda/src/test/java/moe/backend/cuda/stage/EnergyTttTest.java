package moe.backend.cuda.stage;

import static moe.backend.cuda.Twins.SUMS;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.ServiceLoader;
import moe.backend.cuda.Twins;
import moe.backend.cuda.Twins.Side;
import moe.backend.cuda.Twins.Twin;
import moe.spi.device.Activation;
import moe.spi.device.DType;
import moe.spi.device.Shape;
import moe.spi.stage.EnergyPrices;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.Options;
import moe.spi.stage.Parameter;
import moe.spi.stage.Parameters;
import moe.spi.stage.Router;
import moe.spi.stage.RouterFactory;
import moe.spi.stage.Routing;
import moe.spi.stage.StageContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The energy router on the device beside the CPU backend's, which the kit holds to its formulas.
class EnergyTttTest {
  private static final int WIDTH = 10;

  @ParameterizedTest
  @CsvSource({
    "1, 4, 1, 0.5, 1, local", "13, 8, 2, 0.1, 1, local", "70, 70, 8, 0.3, 1, local",
    "70, 70, 8, 0.3, 0.5, none", "600, 6, 3, 2, 0.8, local", "40, 256, 4, 0.05, 1, lm",
    "33, 5, 5, 0, 0.7, lm"
  })
  void choosesAndLearnsAsOnTheCpu(
      int tokens, int experts, int topK, double lambda, double p, String objective) {
    Map<String, Object> settings =
        Map.of(
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
            "ttt_every",
            2L,
            "chunk_size",
            tokens + 1L);
    try (Twins at = new Twins(37)) {
      Layer layer = new Layer(at, tokens, experts, topK);
      Twin fast = at.garbage(experts);
      Twin chunk = at.garbage(2 + 3 * experts + experts * experts);
      at.both(side -> {
        try (Router router = layer.router(side, new Options(settings))) {
          router.adaptation().orElseThrow().price(new EnergyPrices(0.75, 2), side.stream);
          for (int call = 0; call < 5; call++) {
            router.route(side.of(layer.x), layer.routing(side), side.stream);
            router
                .backward()
                .orElseThrow()
                .backward(
                    side.of(layer.x),
                    layer.routing(side),
                    side.of(layer.dGates),
                    side.of(layer.dX),
                    side.stream);
          }
          var state = router.adaptation().orElseThrow().state();
          side.stream.copy(Objects.requireNonNull(state.get("fast")), side.of(fast));
          side.stream.copy(Objects.requireNonNull(state.get("chunk")), side.of(chunk));
          // Of five calls, chunks are those two and two, or each; every second one moves.
          assertThat(router.adaptation().orElseThrow().progress().updates())
              .isEqualTo(objective.equals("local") ? 1 : objective.equals("lm") ? 2 : 0);
        }
      });
      at.assertSame("expert ids", layer.ids);
      at.assertClose("gates", layer.gates, SUMS);
      at.assertClose("fast weights", fast, SUMS);
      at.assertClose("chunk", chunk, SUMS);
      at.assertClose("gradient of bias", layer.dBias, SUMS);
    }
  }

  @Test
  void waitsForNobodySoThatItsStepsCanBeRecorded() {
    try (Twins at = new Twins(32)) {
      Layer layer = new Layer(at, 20, 8, 2);
      Options settings = new Options(Map.of("lambda_energy", 0.5, "ttt", "local"));
      try (Router router = layer.router(at.cuda, settings)) {
        try (var recording =
            at.cuda
                .stream
                .record(
                    () -> router.route(at.cuda.of(layer.x), layer.routing(at.cuda), at.cuda.stream))
                .orElseThrow()) {
          recording.play();
          recording.play();
        }
        assertThat(router.adaptation().orElseThrow().progress().updates()).isEqualTo(2);
      }
    }
  }

  /// A router's parameters and one batch.
  private static final class Layer {
    private final LayerSpec spec;
    private final Twin weight;
    private final Twin bias;
    private final Twin dWeight;
    private final Twin dBias;
    private final Twin x;
    private final Twin dX;
    private final Twin dGates;
    private final Twin ids;
    private final Twin gates;

    Layer(Twins at, int tokens, int experts, int topK) {
      spec =
          new LayerSpec(
              tokens + 2, WIDTH, 4, experts, topK, Activation.GELU, false, true, DType.F32, true);
      weight = at.random(experts, WIDTH);
      bias = at.random(experts);
      dWeight = at.zeros(experts, WIDTH);
      dBias = at.zeros(experts);
      x = at.random(tokens, WIDTH);
      dX = at.zeros(tokens, WIDTH);
      dGates = at.random(tokens, topK);
      ids = at.ints(Shape.of(tokens, topK), new int[tokens * topK]);
      gates = at.garbage(tokens, topK);
    }

    Routing routing(Side side) {
      return new Routing(side.of(ids), side.of(gates));
    }

    Router router(Side side, Options options) {
      var parameters =
          new Parameters(
              List.of(
                  new Parameter("router.weight", side.of(weight), side.of(dWeight)),
                  new Parameter("router.bias", side.of(bias), side.of(dBias))));
      var context = new StageContext(side.backend, spec, parameters, options);
      List<RouterFactory> found = new ArrayList<>();
      ServiceLoader.load(RouterFactory.class).forEach(found::add);
      return found.stream()
          .filter(f -> f.name().equals("energy-ttt") && f.backend().equals(side.backend.name()))
          .findFirst()
          .orElseThrow()
          .create(context);
    }
  }
}
