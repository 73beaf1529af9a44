package moe.backend.opencl;

import static moe.backend.opencl.Close.assertClose;
import static moe.backend.opencl.Workplace.numbers;

import moe.spi.device.AdamW;
import moe.spi.device.AdamWState;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Three steps of AdamW against a reference in double precision.
class AdamWTest {
  @ParameterizedTest
  @CsvSource({
    "PROCESSOR, 0, 0",
    "PROCESSOR, 1, 0.1",
    "PROCESSOR, 33, 0",
    "PROCESSOR, 40001, 0.1",
    "GPU, 33, 0.1",
    "GPU, 40001, 0"
  })
  void threeSteps(Devices devices, int n, float decay) {
    var settings = new AdamW(0.9f, 0.95f, 1e-8f, decay);
    try (Workplace at = new Workplace(devices)) {
      var parameter = at.random(n);
      var state = new AdamWState(at.zeros(n), at.zeros(n));
      double[] p = numbers(parameter);
      double[] m = new double[n];
      double[] v = new double[n];
      for (int step = 1; step <= 3; step++) {
        var gradient = at.random(n);
        double rate = 0.01 * step;
        double correction1 = 1 / (1 - Math.pow(settings.beta1(), step));
        double correction2 = 1 / (1 - Math.pow(settings.beta2(), step));
        double[] gs = numbers(gradient);
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
      assertClose("parameter", parameter, p, Close.SUMS);
      assertClose("first moment", state.first(), m, Close.SUMS);
      assertClose("second moment", state.second(), v, Close.SUMS);
    }
  }
}
