package moe.conformance.reference;

import moe.spi.device.AdamW;

/// One step of AdamW; Loshchilov and Hutter, arXiv 1711.05101.
///
/// @param parameter after the step
/// @param first the running mean after the step
/// @param second the running mean of squares after the step
public record Update(Bounded parameter, Bounded first, Bounded second) {
  /// The step from these values.
  ///
  /// @param schedule learning rate and the two corrections
  public static Update of(
      double[] parameter,
      double[] gradient,
      double[] first,
      double[] second,
      AdamW settings,
      double[] schedule) {
    int n = parameter.length;
    Sums p = new Sums(n);
    Sums m = new Sums(n);
    Sums v = new Sums(n);
    double beta1 = settings.beta1();
    double beta2 = settings.beta2();
    for (int i = 0; i < n; i++) {
      m.add(i, beta1 * first[i]);
      m.add(i, (1 - beta1) * gradient[i]);
      v.add(i, beta2 * second[i]);
      // 1 − beta2 in float32 has lost some digits.
      v.add(i, (1 - beta2) * gradient[i] * gradient[i]);
      double divisor = Math.sqrt(v.value(i) * schedule[2]) + settings.epsilon();
      p.add(i, parameter[i]);
      p.add(i, -schedule[0] * settings.weightDecay() * parameter[i]);
      p.add(
          i,
          -schedule[0] * m.value(i) * schedule[1] / divisor,
          schedule[0] * m.magnitude(i) * schedule[1] / divisor);
    }
    return new Update(p.bounded(), m.bounded(), v.bounded());
  }
}
