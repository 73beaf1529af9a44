package moe.engine.compare;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import moe.engine.energy.Gauge;
import moe.engine.metrics.StepMetrics;
import moe.engine.run.Workload;

/// An arm that is loaded, with its turns so far.
final class Contender implements AutoCloseable {
  private final Arm arm;
  private final Workload workload;
  private final Gauge gauge;
  private final List<Turn> turns = new ArrayList<>();
  private OptionalDouble idleWatts = OptionalDouble.empty();

  Contender(Arm arm, Workload workload, Gauge gauge) {
    this.arm = arm;
    this.workload = workload;
    this.gauge = gauge;
  }

  Arm arm() {
    return arm;
  }

  void measureIdle(Runnable rest) {
    idleWatts = gauge.idleWatts(rest);
  }

  /// Makes steps for a while; gives the seconds of one, from the later half.
  double warmUp(double seconds) {
    List<Double> times = new ArrayList<>();
    long begin = System.nanoTime();
    while (times.size() < 2 || (System.nanoTime() - begin) / 1e9 < seconds) {
      long from = System.nanoTime();
      var _ = workload.step();
      times.add((System.nanoTime() - from) / 1e9);
    }
    List<Double> later = times.subList(times.size() / 2, times.size());
    return later.stream().mapToDouble(Double::doubleValue).average().orElseThrow();
  }

  void turn(int steps) {
    double distinct = 0;
    double perToken = 0;
    long tokens = 0;
    long updates = 0;
    gauge.begin();
    long begin = System.nanoTime();
    for (int i = 0; i < steps; i++) {
      StepMetrics step = workload.step();
      gauge.add(step, workload.block());
      tokens += step.times().tokens();
      distinct += step.distinctExperts().orElse(0) / steps;
      perToken += step.expertsPerToken().orElse(0) / steps;
      updates += step.meters().tttUpdates().orElse(0);
    }
    double seconds = (System.nanoTime() - begin) / 1e9;
    turns.add(new Turn(steps, tokens, seconds, gauge.end(), distinct, perToken, updates));
  }

  ArmResult.Finished finish() {
    List<Double> losses = new ArrayList<>();
    for (double loss : workload.losses()) {
      losses.add(loss);
    }
    return new ArmResult.Finished(arm, workload.where(), gauge.method(), idleWatts, turns, losses);
  }

  @Override
  public void close() {
    try (workload;
        gauge) {
      // closes both
    }
  }
}
