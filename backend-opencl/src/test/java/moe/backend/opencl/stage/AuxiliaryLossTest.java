package moe.backend.opencl.stage;

import static moe.backend.opencl.Close.assertClose;
import static moe.backend.opencl.Workplace.numbers;

import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import moe.backend.opencl.Close;
import moe.backend.opencl.Devices;
import moe.backend.opencl.Numeric;
import moe.backend.opencl.OpenClTensor;
import moe.backend.opencl.Workplace;
import moe.spi.device.DType;
import moe.spi.device.Shape;
import moe.spi.stage.AuxiliaryWeights;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.Options;
import moe.spi.stage.Parameter;
import moe.spi.stage.Parameters;
import moe.spi.stage.Router;
import moe.spi.stage.Routing;
import moe.spi.stage.StageContext;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Balance loss and z-loss against their formulas in double precision, differentiated numerically.
class AuxiliaryLossTest {
  record Case(int tokens, int dModel, int experts, int topK, double balance, double z) {}

  private static Stream<Arguments> cases() {
    List<Case> cases =
        List.of(
            new Case(0, 5, 4, 1, 0.5, 0.25),
            new Case(1, 5, 1, 1, 0.5, 0.25),
            new Case(13, 10, 5, 3, 0.5, 0.25),
            new Case(33, 17, 70, 8, 0.5, 0),
            new Case(21, 9, 7, 1, 0, 0.25),
            new Case(300, 3, 8, 2, 0.0625, 0.125));
    return Arrays.stream(Devices.values())
        .flatMap(d -> cases.stream().map(c -> Arguments.of(d, c)));
  }

  @ParameterizedTest
  @MethodSource("cases")
  void termsAndGradientsAreThoseOfTheFormulas(Devices devices, Case c) {
    try (Workplace at = new Workplace(devices)) {
      OpenClTensor x = at.random(c.tokens, c.dModel);
      OpenClTensor weight = at.random(c.experts, c.dModel);
      OpenClTensor bias = at.random(c.experts);
      OpenClTensor dWeight = at.random(c.experts, c.dModel);
      OpenClTensor dBias = at.random(c.experts);
      OpenClTensor dX = at.random(c.tokens, c.dModel);
      OpenClTensor losses = at.garbage(2);
      int[] ids = uneven(c.tokens * c.topK, c.experts);
      double[] xs = numbers(x);
      double[] ws = numbers(weight);
      double[] bs = numbers(bias);
      double[] expectedLosses = terms(c, logits(c, xs, ws, bs), ids);
      double[] expectedX = numbers(dX);
      double[] expectedWeight = numbers(dWeight);
      double[] expectedBias = numbers(dBias);
      add(expectedX, xs, v -> terms(c, logits(c, v, ws, bs), ids));
      add(expectedWeight, ws, v -> terms(c, logits(c, xs, v, bs), ids));
      add(expectedBias, bs, v -> terms(c, logits(c, xs, ws, v), ids));

      LayerSpec spec = BlockSpecs.training(c.tokens + 2, c.dModel, 4, c.experts, c.topK);
      var parameters =
          new Parameters(
              List.of(
                  new Parameter("router.weight", weight, dWeight),
                  new Parameter("router.bias", bias, dBias)));
      var context = new StageContext(at.backend, spec, parameters, Options.NONE);
      var gates = at.garbage(c.tokens, c.topK);
      var chosen = new Routing(at.tensor(DType.I32, Shape.of(c.tokens, c.topK)), gates);
      try (Router router = new TopKRouterFactory().create(context)) {
        router.route(x, chosen, at.stream);
        router
            .auxiliaryLoss()
            .orElseThrow()
            .backward(
                x,
                new Routing(at.ints(ids).view(0, Shape.of(c.tokens, c.topK)), gates),
                new AuxiliaryWeights((float) c.balance, (float) c.z),
                losses,
                dX,
                at.stream);
      }
      assertClose("losses", losses, expectedLosses, Close.SUMS);
      assertClose("dTokens", dX, expectedX, Close.SUMS);
      assertClose("gradient of weight", dWeight, expectedWeight, Close.SUMS);
      assertClose("gradient of bias", dBias, expectedBias, Close.SUMS);
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

  private static double[] logits(Case c, double[] x, double[] weight, double[] bias) {
    double[] logits = new double[c.tokens * c.experts];
    for (int i = 0; i < logits.length; i++) {
      int token = i / c.experts;
      int expert = i % c.experts;
      logits[i] = bias[expert];
      for (int j = 0; j < c.dModel; j++) {
        logits[i] += weight[expert * c.dModel + j] * x[token * c.dModel + j];
      }
    }
    return logits;
  }

  /// Both terms, each times its weight.
  private static double[] terms(Case c, double[] logits, int[] ids) {
    double[] means = new double[c.experts];
    double squares = 0;
    for (int token = 0; token < c.tokens; token++) {
      double sum = 0;
      for (int e = 0; e < c.experts; e++) {
        sum += Math.exp(logits[token * c.experts + e]);
      }
      for (int e = 0; e < c.experts; e++) {
        means[e] += Math.exp(logits[token * c.experts + e]) / sum / c.tokens;
      }
      squares += Math.pow(Math.log(sum), 2) / c.tokens;
    }
    long used = Arrays.stream(ids).filter(id -> id >= 0).count();
    double balance = 0;
    for (int id : ids) {
      balance += id < 0 ? 0 : means[id] / used;
    }
    return new double[] {c.balance * c.experts * balance, c.z * squares};
  }

  /// Adds the gradient of the sum of both terms.
  private static void add(double[] to, double[] at, UnaryOperator<double[]> terms) {
    double[] gradient = Numeric.gradient(terms, at, new double[] {1, 1});
    Arrays.setAll(to, i -> to[i] + gradient[i]);
  }
}
