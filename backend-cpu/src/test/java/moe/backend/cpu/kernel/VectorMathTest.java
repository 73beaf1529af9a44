package moe.backend.cpu.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.function.DoubleUnaryOperator;
import java.util.function.UnaryOperator;
import jdk.incubator.vector.FloatVector;
import org.junit.jupiter.api.Test;

final class VectorMathTest {
  @Test
  void expIsWithinTwoUlp() {
    assertThat(worst(VectorMath::exp, Math::exp, -86.5f, 88.7f)).isLessThan(2 * 0x1p-24 * 2);
  }

  @Test
  void tanhIsWithinFourUlp() {
    assertThat(worst(VectorMath::tanh, Math::tanh, -12, 12)).isLessThan(4 * 0x1p-24 * 2);
    assertThat(worst(VectorMath::tanh, Math::tanh, -1e-3f, 1e-3f)).isLessThan(4 * 0x1p-24 * 2);
  }

  @Test
  void sigmoidIsWithinFourUlp() {
    assertThat(worst(VectorMath::sigmoid, x -> 1 / (1 + Math.exp(-x)), -80, 80))
        .isLessThan(4 * 0x1p-24 * 2);
  }

  @Test
  void infinitiesAndNaNGoTheWayOfTheScalarFunctions() {
    float inf = Float.POSITIVE_INFINITY;
    for (float x : new float[] {inf, -inf, Float.NaN, 0f, -0f, 200, -200, 1e30f, -1e30f}) {
      same(VectorMath::exp, ScalarMath.exp(x), x);
      same(VectorMath::tanh, ScalarMath.tanh(x), x);
      same(VectorMath::sigmoid, ScalarMath.sigmoid(x), x);
    }
  }

  @Test
  void expOfVerySmallResultsIsZero() {
    for (float x = -87; x > -106; x -= 0.37f) {
      assertThat(at(VectorMath::exp, x)).as("exp " + x).isZero();
    }
  }

  // Equal, or within 4 ulp, or both below what exp keeps.
  private static void same(UnaryOperator<FloatVector> function, float expected, float x) {
    float actual = at(function, x);
    double bound = Math.abs(expected) * 0x1p-22 + 0x1p-125;
    assertThat(Float.compare(actual, expected) == 0 || Math.abs(actual - expected) <= bound)
        .as(x + " gives " + actual + ", expected " + expected)
        .isTrue();
  }

  private static float at(UnaryOperator<FloatVector> function, float x) {
    return function.apply(FloatVector.broadcast(Lanes.F32, x)).lane(0);
  }

  private static double worst(
      UnaryOperator<FloatVector> function, DoubleUnaryOperator reference, float from, float to) {
    double worst = 0;
    for (int i = 0; i <= 20_000; i++) {
      float x = from + (to - from) * i / 20_000;
      double expected = reference.applyAsDouble(x);
      double error = Math.abs(at(function, x) - expected) / Math.abs(expected);
      // NaN is the worst, unless it is 0 against 0.
      worst = expected == 0 ? worst : Math.max(worst, error);
    }
    return worst;
  }
}
