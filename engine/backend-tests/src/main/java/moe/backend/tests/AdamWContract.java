package moe.backend.tests;

import moe.spi.device.AdamW;
import moe.spi.device.AdamWState;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Three steps of AdamW against a reference in double precision.
public abstract class AdamWContract implements Place {
  @ParameterizedTest
  @CsvSource({
    "MAIN, 0, 0",
    "MAIN, 1, 0.1",
    "MAIN, 33, 0",
    "MAIN, 40001, 0.1",
    "OTHER, 33, 0.1",
    "OTHER, 40001, 0"
  })
  void threeSteps(Way way, int n, float decay) {
    var settings = new AdamW(0.9f, 0.95f, 1e-8f, decay);
    try (Workplace at = open(way)) {
      var parameter = at.random(n);
      var state = new AdamWState(at.zeros(n), at.zeros(n));
      double[] p = at.numbers(parameter);
      double[] m = new double[n];
      double[] v = new double[n];
      for (int step = 1; step <= 3; step++) {
        var gradient = at.random(n);
        double rate = 0.01 * step;
        double correction1 = 1 / (1 - Math.pow(settings.beta1(), step));
        double correction2 = 1 / (1 - Math.pow(settings.beta2(), step));
        double[] gs = at.numbers(gradient);
        for (int i = 0; i < n; i++) {
          double g = gs[i];
          m[i] = settings.beta1() * m[i] + (1 - settings.beta1()) * g;
          v[i] = settings.beta2() * v[i] + (1 - settings.beta2()) * g * g;
          double change = m[i] * correction1 / (Math.sqrt(v[i] * correction2) + 1e-8);
          p[i] -= rate * (decay * p[i] + change);
        }
        var schedule = at.floats(rate, correction1, correction2);
        at.ops.adamW(parameter, gradient, state, settings, schedule, at.stream);
      }
      at.assertClose("parameter", parameter, p, Close.SUMS);
      at.assertClose("first moment", state.first(), m, Close.SUMS);
      at.assertClose("second moment", state.second(), v, Close.SUMS);
    }
  }
}
