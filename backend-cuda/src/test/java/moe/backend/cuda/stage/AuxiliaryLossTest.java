package moe.backend.cuda.stage;

import static moe.backend.cuda.Twins.SUMS;

import java.util.ArrayList;
import java.util.List;
import java.util.ServiceLoader;
import moe.backend.cuda.Twins;
import moe.backend.cuda.Twins.Side;
import moe.backend.cuda.Twins.Twin;
import moe.spi.device.Activation;
import moe.spi.device.DType;
import moe.spi.device.Shape;
import moe.spi.stage.AuxiliaryWeights;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.Options;
import moe.spi.stage.Parameter;
import moe.spi.stage.Parameters;
import moe.spi.stage.Router;
import moe.spi.stage.RouterFactory;
import moe.spi.stage.Routing;
import moe.spi.stage.StageContext;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Balance loss and z-loss beside the CPU backend's, which are held to their formulas.
class AuxiliaryLossTest {
  @ParameterizedTest
  @CsvSource({
    "0, 5, 4, 1, 0.5, 0.25", "1, 5, 1, 1, 0.5, 0.25", "13, 10, 5, 3, 0.5, 0.25",
    "33, 17, 70, 8, 0.5, 0", "21, 9, 7, 1, 0, 0.25", "1100, 3, 8, 2, 0.01, 0.001"
  })
  void termsAndGradientsAreTheCpus(
      int tokens, int dModel, int experts, int topK, float balance, float z) {
    var spec =
        new LayerSpec(
            tokens + 2, dModel, 4, experts, topK, Activation.GELU, false, true, DType.F32, true);
    try (Twins at = new Twins(37)) {
      Twin weight = at.random(experts, dModel);
      Twin bias = at.random(experts);
      Twin dWeight = at.random(experts, dModel);
      Twin dBias = at.random(experts);
      Twin x = at.random(tokens, dModel);
      Twin dX = at.random(tokens, dModel);
      Twin losses = at.garbage(2);
      Twin chosen = at.ints(Shape.of(tokens, topK), new int[tokens * topK]);
      Twin gates = at.garbage(tokens, topK);
      Twin ids = at.ints(Shape.of(tokens, topK), uneven(tokens * topK, experts));
      at.both(side -> {
        var parameters =
            new Parameters(
                List.of(
                    parameter(side, "router.weight", weight, dWeight),
                    parameter(side, "router.bias", bias, dBias)));
        var context = new StageContext(side.backend, spec, parameters, Options.NONE);
        try (Router router = router(context)) {
          var routing = new Routing(side.of(chosen), side.of(gates));
          router.route(side.of(x), routing, side.stream);
          router
              .auxiliaryLoss()
              .orElseThrow()
              .backward(
                  side.of(x),
                  new Routing(side.of(ids), side.of(gates)),
                  new AuxiliaryWeights(balance, z),
                  side.of(losses),
                  side.of(dX),
                  side.stream);
        }
      });
      at.assertClose("losses", losses, SUMS);
      at.assertClose("dTokens", dX, SUMS);
      at.assertClose("gradient of weight", dWeight, SUMS);
      at.assertClose("gradient of bias", dBias, SUMS);
    }
  }

  /// More for the first experts than for the last, and some slots unused.
  private static int[] uneven(int slots, int experts) {
    int[] ids = new int[slots];
    for (int slot = 0; slot < slots; slot++) {
      int high = slot * 31 % experts;
      ids[slot] = slot % 5 == 3 ? -1 : high * high / experts;
    }
    return ids;
  }

  private static Parameter parameter(Side side, String name, Twin value, Twin gradient) {
    return new Parameter(name, side.of(value), side.of(gradient));
  }

  private static Router router(StageContext context) {
    List<RouterFactory> found = new ArrayList<>();
    ServiceLoader.load(RouterFactory.class).forEach(found::add);
    return found.stream()
        .filter(f -> f.name().equals("topk") && f.backend().equals(context.backend().name()))
        .findFirst()
        .orElseThrow()
        .create(context);
  }
}
