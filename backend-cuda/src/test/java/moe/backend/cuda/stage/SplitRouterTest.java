package moe.backend.cuda.stage;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.ServiceLoader;
import moe.backend.cuda.Twins;
import moe.backend.cuda.Twins.Side;
import moe.backend.cuda.Twins.Twin;
import moe.spi.device.Activation;
import moe.spi.device.Compute;
import moe.spi.device.DType;
import moe.spi.device.Shape;
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

/// Routers of a backend that multiplies in bf16, at each width of their kernels, beside the CPU's.
class SplitRouterTest {
  // Logits keep 16 bits; gates follow them. Measured 3.7e-6 at most, times 4.
  private static final double SPLIT = 1.5e-5;

  @ParameterizedTest
  @CsvSource({
    "200, 296, 8, 2", "45, 72, 30, 4", "33, 264, 64, 8",
        "50, 136, 100, 3", // many warps share dModel
    "4099, 40, 7, 2", "4097, 72, 30, 2", "4097, 40, 60, 2", "4097, 40, 100, 2", // two share it
    "3, 296, 100, 8", "8, 40, 9, 2", "1, 2056, 64, 8" // a handful, a block for 8 experts
  })
  void choosesAsOnTheCpu(int tokens, int dModel, int experts, int topK) {
    var spec =
        new LayerSpec(
            tokens, dModel, 8, experts, topK, Activation.GELU, false, true, DType.F32, false);
    try (Twins at = new Twins(32, Compute.BF16)) {
      Twin x = at.random(tokens, dModel);
      Twin weight = at.random(1 / Math.sqrt(dModel), experts, dModel);
      Twin bias = at.random(experts);
      Twin ids = at.ints(Shape.of(tokens, topK), new int[tokens * topK]);
      Twin gates = at.garbage(tokens, topK);
      at.both(side -> {
        var parameters =
            new Parameters(
                List.of(
                    new Parameter("router.weight", side.of(weight), null),
                    new Parameter("router.bias", side.of(bias), null)));
        try (Router router =
            router(new StageContext(side.backend, spec, parameters, Options.NONE))) {
          router.route(side.of(x), routing(side, ids, gates), side.stream);
        }
      });
      at.assertSame("expert ids", ids);
      assertThat(at.gap(gates).relative()).isLessThanOrEqualTo(SPLIT);
    }
  }

  private static Routing routing(Side side, Twin ids, Twin gates) {
    return new Routing(side.of(ids), side.of(gates));
  }

  private static Router router(StageContext context) {
    for (RouterFactory factory : ServiceLoader.load(RouterFactory.class)) {
      if (factory.name().equals("topk") && factory.backend().equals(context.backend().name())) {
        return factory.create(context);
      }
    }
    throw new AssertionError("no router topk");
  }
}
