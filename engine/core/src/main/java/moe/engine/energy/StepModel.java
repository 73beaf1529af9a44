package moe.engine.energy;

import java.util.List;
import java.util.Optional;

/// The model of a window, `J = P_idle·t + a·bytes + b·flops`, fitted to measured joules by least
/// squares with all three at least 0.
///
/// @param idleWatts P_idle: what passes with time alone
/// @param joulesPerByte a
/// @param joulesPerFlop b
/// @param rSquared share of the variance of joules that the model explains, at most 1
/// @param windows it was fitted to
public record StepModel(
    double idleWatts, double joulesPerByte, double joulesPerFlop, double rSquared, int windows) {
  private static final int TERMS = 3;

  /// What was measured in one window.
  public record Sample(double seconds, StepWork work, double joules) {
    double term(int index) {
      return switch (index) {
        case 0 -> seconds;
        case 1 -> work.bytes();
        default -> work.flops();
      };
    }
  }

  /// Fits the model; empty for fewer samples than terms.
  public static Optional<StepModel> fit(List<Sample> samples) {
    if (samples.size() < TERMS) {
      return Optional.empty();
    }
    double[] scale = new double[TERMS]; // terms of one size, or the equations lose their digits
    for (int i = 0; i < TERMS; i++) {
      int term = i;
      double most = samples.stream().mapToDouble(sample -> sample.term(term)).max().orElse(0);
      scale[i] = most > 0 ? most : 1;
    }
    double[] best = new double[TERMS];
    double least = Double.POSITIVE_INFINITY;
    // The best non-negative solution is the plain one of some of the terms: there are 8 choices.
    for (int chosen = 0; chosen < 1 << TERMS; chosen++) {
      double[] solution = new NormalEquations(samples, scale, chosen).solve();
      double error = error(samples, scale, solution);
      boolean allowed = solution[0] >= 0 && solution[1] >= 0 && solution[2] >= 0;
      if (allowed && error < least) {
        least = error;
        best = solution;
      }
    }
    double mean = samples.stream().mapToDouble(Sample::joules).average().orElseThrow();
    double variance =
        samples.stream().mapToDouble(s -> (s.joules() - mean) * (s.joules() - mean)).sum();
    return Optional.of(
        new StepModel(
            best[0] / scale[0],
            best[1] / scale[1],
            best[2] / scale[2],
            variance == 0 ? (least == 0 ? 1 : 0) : 1 - least / variance,
            samples.size()));
  }

  private static double error(List<Sample> samples, double[] scale, double[] solution) {
    double sum = 0;
    for (Sample sample : samples) {
      double rest = sample.joules();
      for (int i = 0; i < TERMS; i++) {
        rest -= solution[i] * sample.term(i) / scale[i];
      }
      sum += rest * rest;
    }
    return Double.isNaN(sum) ? Double.POSITIVE_INFINITY : sum;
  }

  /// The joules that the model expects of a window.
  public double joules(double seconds, StepWork work) {
    return idleWatts * seconds + joulesPerByte * work.bytes() + joulesPerFlop * work.flops();
  }
}
