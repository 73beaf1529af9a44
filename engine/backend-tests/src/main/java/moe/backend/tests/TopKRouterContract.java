package moe.backend.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.List;
import moe.spi.device.DType;
import moe.spi.device.Shape;
import moe.spi.device.Tensor;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.Options;
import moe.spi.stage.Parameter;
import moe.spi.stage.Parameters;
import moe.spi.stage.Router;
import moe.spi.stage.Routing;
import moe.spi.stage.StageContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Choice and gates for logits that are given: the router's weight is zero and its bias the logits.
public abstract class TopKRouterContract implements Place {
  private static final double NAN = Double.NaN;
  private static final double LEAST = Double.NEGATIVE_INFINITY;

  @ParameterizedTest
  @CsvSource({"1, 0", "2, '0, 1'", "3, '0, 1, 2'"})
  void prefersTheSmallerIdAmongEquals(int topK, String expected) {
    check(topK, new double[] {3, 3, 3, 3}, parse(expected), equalGates(topK));
  }

  @Test
  void ordersByLogitAndRenormalises() {
    double sum = Math.exp(5) + Math.exp(4);
    check(
        2,
        new double[] {1, 4, -2, 5},
        new int[] {3, 1},
        new double[] {Math.exp(5) / sum, Math.exp(4) / sum});
  }

  @Test
  void ranksTheLaterOfEqualsBehindEvenWhenTheListIsFull() {
    check(2, new double[] {1, 2, 2, 2}, new int[] {1, 2}, equalGates(2));
  }

  @Test
  void survivesLogitsOfAnySize() {
    check(2, new double[] {1e30, -1e30, LEAST, 0}, new int[] {0, 3}, new double[] {1, 0});
    check(3, new double[] {LEAST, 2, LEAST, LEAST}, new int[] {1, 0, 2}, new double[] {1, 0, 0});
  }

  @Test
  void keepsIdsInRangeAndShowsNaNInTheGates() {
    check(2, new double[] {NAN, 1, NAN, 2}, new int[] {3, 1}, new double[] {NAN, NAN});
    check(3, new double[] {NAN, 1, NAN, NAN}, new int[] {1, 0, 2}, new double[] {NAN, NAN, NAN});
    check(4, new double[] {NAN, NAN, NAN, NAN}, new int[] {0, 1, 2, 3}, nan(4));
  }

  @Test
  void keepsTheDigitsOfAGradientBesideAGateOfNearlyOne() {
    double gap = 20;
    double small = 1 / (1 + Math.exp(gap));
    double slope = (1 - small) * small * (0.75 - -0.25);
    for (Way way : Way.values()) {
      try (Workplace at = open(way)) {
        LayerSpec spec = BlockSpecs.training(1, 2, 4, 3, 2);
        Tensor dBias = at.zeros(3);
        Parameters parameters =
            new Parameters(
                List.of(
                    new Parameter("router.weight", at.zeros(3, 2), at.zeros(3, 2)),
                    new Parameter("router.bias", at.floats(-gap, gap, 0), dBias)));
        StageContext context = new StageContext(at.backend, spec, parameters, Options.NONE);
        Routing routing = new Routing(at.tensor(DType.I32, Shape.of(1, 2)), at.garbage(1, 2));
        try (Router router = at.stages.router().create(context)) {
          Tensor tokens = at.zeros(1, 2);
          router.route(tokens, routing, at.stream);
          Tensor dGates = at.floats(0.75, -0.25).view(0, Shape.of(1, 2));
          router
              .backward()
              .orElseThrow()
              .backward(tokens, routing, dGates, at.zeros(1, 2), at.stream);
        }
        double[] expected = {0, slope, -slope};
        Close.assertClose(way + " bias", at.numbers(dBias), expected, Close.SUMS);
      }
    }
  }

  @Test
  void refusesMoreTokensThanItWasMadeFor() {
    try (Workplace at = open(Way.MAIN);
        Block block = new Block(at, BlockSpecs.training(3, 4, 5, 2, 1), 3)) {
      assertThatThrownBy(() -> block.router.route(at.zeros(4, 4), block.routing, at.stream))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage(
              "topk route: the number of tokens is 4, must be at most the block's maxTokens = 3");
    }
  }

  /// By how much gates may be off; 0 where they are rounded once from double precision.
  protected abstract double gateTolerance();

  private void check(int topK, double[] logits, int[] ids, double[] gates) {
    for (Way way : Way.values()) {
      try (Workplace at = open(way)) {
        Tensor bias = at.floats(logits);
        LayerSpec spec = BlockSpecs.training(2, 3, 4, logits.length, topK);
        Parameters parameters =
            new Parameters(
                List.of(
                    new Parameter("router.weight", at.zeros(logits.length, 3), null),
                    new Parameter("router.bias", bias, null)));
        StageContext context =
            new StageContext(
                at.backend, BlockSpecs.inference(spec, DType.F32), parameters, Options.NONE);
        Routing routing = new Routing(at.tensor(DType.I32, Shape.of(2, topK)), at.garbage(2, topK));
        try (Router router = at.stages.router().create(context)) {
          router.route(at.zeros(2, 3), routing, at.stream);
        }
        for (long token = 0; token < 2; token++) {
          assertThat(at.ids(routing.expertIds().slice(token, token + 1))).containsExactly(ids);
          assertThat(at.numbers(routing.gates().slice(token, token + 1)))
              .usingComparatorWithPrecision(gateTolerance())
              .containsExactly(Arrays.stream(gates).map(gate -> (float) gate).toArray());
        }
      }
    }
  }

  private static int[] parse(String ids) {
    return List.of(ids.split(", ")).stream().mapToInt(Integer::parseInt).toArray();
  }

  private static double[] equalGates(int topK) {
    double[] gates = new double[topK];
    Arrays.fill(gates, 1.0 / topK);
    return gates;
  }

  private static double[] nan(int n) {
    double[] gates = new double[n];
    Arrays.fill(gates, NAN);
    return gates;
  }
}
