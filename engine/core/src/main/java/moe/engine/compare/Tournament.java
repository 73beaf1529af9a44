package moe.engine.compare;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import moe.engine.config.CompareSection;
import moe.engine.config.EnergySection;
import moe.engine.config.PipelineConfig;
import moe.engine.energy.EnergyMeters;
import moe.engine.energy.EstimatedMeter;
import moe.engine.energy.Gauge;
import moe.engine.plugin.PluginRegistry;
import moe.engine.run.Workload;
import moe.engine.wiring.BackendRequest;
import moe.spi.device.DeviceInfo;
import moe.spi.error.MoeException;

/// Runs arms against each other: all are loaded, warmed up, and then take turns A B C A B C, so
/// that what changes on the machine over time meets all of them. Each turn has the same number of
/// steps.
public final class Tournament implements AutoCloseable {
  private final CompareSection rules;
  private final Consumer<String> notices;
  private final BooleanSupplier stopped;
  private final Map<Arm, ArmResult> results = new LinkedHashMap<>();
  private final List<Contender> contenders = new ArrayList<>();
  private final Map<DeviceInfo, EnergyMeters.Found> estimates = new HashMap<>();

  /// @param stopped asked between turns
  public Tournament(CompareSection rules, Consumer<String> notices, BooleanSupplier stopped) {
    this.rules = rules;
    this.notices = notices;
    this.stopped = stopped;
  }

  /// Loads an arm; if that fails, the others go on without it.
  ///
  /// @param cache where encoded texts are kept
  public void add(
      Arm arm, PipelineConfig config, PluginRegistry registry, BackendRequest backend, Path cache) {
    notices.accept("loading " + arm.name());
    attempt(
        arm,
        () -> {
          Workload workload = Workload.open(config, registry, backend, cache, notices);
          boolean complete = false;
          try {
            Gauge gauge =
                new Gauge(meter(config.energy(), registry, workload), notices, System::nanoTime);
            Contender contender = new Contender(arm, workload, gauge);
            contenders.add(contender);
            complete = true;
            contender.measureIdle(() -> sleep(config.energy().idle()));
          } finally {
            if (!complete) {
              workload.close();
            }
          }
        });
  }

  /// The meter of an arm. What is estimated is so from one measurement of the device for all arms,
  /// or its noise would look like a difference between them.
  private EnergyMeters.Found meter(
      EnergySection energy, PluginRegistry registry, Workload workload) {
    DeviceInfo device = workload.backend().device();
    EnergyMeters.Found found = estimates.get(device);
    if (found == null || !energy.meter().equals(EstimatedMeter.NAME)) {
      found = EnergyMeters.open(energy, registry, workload.backend());
    }
    if (found instanceof EnergyMeters.Estimated(EstimatedMeter meter)) {
      estimates.put(device, found);
      return new EnergyMeters.Estimated(meter.from(energy.watts()));
    }
    return found;
  }

  /// An arm that failed before it could be loaded.
  public void fail(Arm arm, MoeException failure) {
    notices.accept("%s failed: %s".formatted(arm.name(), failure.getMessage()));
    results.put(arm, new ArmResult.Failed(arm, failure.getMessage(), failure.kind()));
  }

  private void attempt(Arm arm, Runnable work) {
    try {
      work.run();
    } catch (MoeException failure) {
      fail(arm, failure);
      contenders.stream().filter(c -> c.arm().equals(arm)).forEach(Contender::close);
      contenders.removeIf(contender -> contender.arm().equals(arm));
    }
  }

  private static void sleep(Duration time) {
    try {
      Thread.sleep(time);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  /// Lets the arms take their turns.
  public Comparison run(String name, List<Arm> order) {
    double[] fastest = {Double.POSITIVE_INFINITY};
    for (Contender contender : List.copyOf(contenders)) {
      notices.accept("warming up " + contender.arm().name());
      attempt(
          contender.arm(),
          () ->
              fastest[0] = Math.min(fastest[0], contender.warmUp(rules.warmup().toNanos() / 1e9)));
    }
    double steps = Math.ceil(rules.window().toNanos() / 1e9 / fastest[0]);
    int each = (int) Math.clamp(steps, 1, 1 << 24);
    for (int repeat = 1; repeat <= rules.repeats() && !stopped.getAsBoolean(); repeat++) {
      for (Contender contender : List.copyOf(contenders)) {
        notices.accept(
            "turn %d of %d: %s, %d steps"
                .formatted(repeat, rules.repeats(), contender.arm().name(), each));
        attempt(contender.arm(), () -> contender.turn(each));
      }
    }
    for (Contender contender : List.copyOf(contenders)) {
      attempt(contender.arm(), () -> results.put(contender.arm(), contender.finish()));
    }
    return new Comparison(
        name, order.stream().filter(results::containsKey).map(results::get).toList());
  }

  @Override
  public void close() {
    contenders.forEach(Contender::close);
    contenders.clear();
  }
}
