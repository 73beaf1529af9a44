package moe.backend.cpu.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import moe.spi.device.Activation;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class ActivationKernelsTest {
  private static final double SCALE = Math.sqrt(2 / Math.PI);

  /// The last z is rounded at a size of up to 2·18: its error, 36·2⁻²⁴, becomes relative in e^z; 14
  /// more roundings. Constants of z are rounded too: twice that.
  private static final double TOLERANCE = 100 * 0x1p-24;

  @ParameterizedTest
  @EnumSource
  void equalsTheDefinitionInDouble(Twin twin) {
    float[] x = range(-6, 12);
    for (Activation activation : Activation.values()) {
      float[] y = forward(twin, activation, x);
      for (int i = 0; i < x.length; i++) {
        double expected = reference(activation, x[i]);
        assertThat((double) y[i])
            .as(activation + " of " + x[i])
            .isBetween(
                expected - TOLERANCE * Math.abs(expected),
                expected + TOLERANCE * Math.abs(expected));
      }
    }
  }

  /// Derivatives cross 0, so their error counts against 1: that of e^z, times x·z′ at most 20.
  @ParameterizedTest
  @EnumSource
  void derivativeEqualsTheDefinitionInDouble(Twin twin) {
    float[] x = range(-14, 14);
    for (Activation activation : Activation.values()) {
      float[] y = backward(twin, activation, x);
      for (int i = 0; i < x.length; i++) {
        double expected = derivative(activation, x[i]);
        assertThat((double) y[i])
            .as(activation + " at " + x[i])
            .isBetween(expected - 20 * 0x1p-24, expected + 20 * 0x1p-24);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void largeNumbersGoToTheLimitsAndNaNStays(Twin twin) {
    float inf = Float.POSITIVE_INFINITY;
    float[] x = {inf, 1e30f, 200, -200, -1e30f, -inf, Float.NaN, 0};
    float[] limits = {inf, 1e30f, 200, 0, 0, 0, Float.NaN, 0};
    float[] slopes = {1, 1, 1, 0, 0, 0, Float.NaN, 0.5f};
    for (Activation activation : new Activation[] {Activation.GELU, Activation.SILU}) {
      float[] y = forward(twin, activation, x);
      float[] slope = backward(twin, activation, x);
      for (int i = 0; i < x.length; i++) {
        assertSame(y[i], limits[i], activation + " of " + x[i]);
        assertSame(slope[i], slopes[i], activation + " at " + x[i]);
      }
    }
  }

  // 1e-24: what is left of the sigmoid at its limits.
  private static void assertSame(float actual, float expected, String what) {
    boolean same = Float.compare(actual, expected) == 0 || Math.abs(actual - expected) < 1e-24f;
    assertThat(same).as(what + " is " + actual + ", expected " + expected).isTrue();
  }

  private static float[] forward(Twin twin, Activation activation, float[] x) {
    float[] y = x.clone();
    twin.elements().activate(activation, y, 0, y, 0, x.length);
    return y;
  }

  private static float[] backward(Twin twin, Activation activation, float[] x) {
    float[] d = new float[x.length];
    Arrays.fill(d, 1);
    twin.elements().activateBackward(activation, x, 0, d, 0, d, 0, x.length);
    return d;
  }

  private static float[] range(float from, float to) {
    float[] x = new float[5_003];
    for (int i = 0; i < x.length; i++) {
      x[i] = from + (to - from) * i / x.length;
    }
    return x;
  }

  private static double reference(Activation activation, double x) {
    return switch (activation) {
      case NONE -> x;
      case GELU -> 0.5 * x * (1 + Math.tanh(SCALE * (x + 0.044715 * x * x * x)));
      case SILU -> x / (1 + Math.exp(-x));
      case RELU -> Math.max(x, 0);
    };
  }

  private static double derivative(Activation activation, double x) {
    double t = Math.tanh(SCALE * (x + 0.044715 * x * x * x));
    double s = 1 / (1 + Math.exp(-x));
    return switch (activation) {
      case NONE -> 1;
      case GELU -> 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * SCALE * (1 + 3 * 0.044715 * x * x);
      case SILU -> s * (1 + x * (1 - s));
      case RELU -> x > 0 ? 1 : 0;
    };
  }
}
