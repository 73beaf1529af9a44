package moe.engine.run;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import moe.engine.config.EnergySection;
import moe.engine.config.PipelineConfig;
import moe.engine.energy.EnergyMeters;
import moe.engine.energy.EnergyWatch;
import moe.engine.metrics.Execution;
import moe.engine.metrics.RunSummary;
import moe.engine.model.Adaptations;
import moe.engine.model.Gpt2;
import moe.engine.plugin.PluginRegistry;
import moe.engine.wiring.Pipeline;
import moe.spi.stage.EnergyPrices;

/// How the energy of a run is measured, and who is told.
///
/// @param watch of the meter, idle power measured
/// @param prices is told what experts cost
/// @param notes why there is no meter
record Measured(EnergyWatch watch, Consumer<EnergyPrices> prices, List<String> notes) {
  static Measured of(
      PipelineConfig config,
      PluginRegistry registry,
      Pipeline pipeline,
      Gpt2 model,
      Consumer<String> notices) {
    EnergySection energy = config.energy();
    EnergyMeters.Found found = EnergyMeters.open(energy, registry, pipeline.backend().backend());
    EnergyWatch watch =
        new EnergyWatch(
            found,
            pipeline.stages().spec(),
            energy.window().toNanos() / 1e9,
            notices,
            System::nanoTime);
    watch.measureIdle(() -> sleep(energy.idle()));
    Adaptations adaptations = model.adaptations();
    Consumer<EnergyPrices> prices = energy.fit() ? adaptations::price : _ -> {};
    return new Measured(
        watch,
        prices,
        found instanceof EnergyMeters.Missing(String reason)
            ? List.of("energy meter: " + reason)
            : List.of());
  }

  private static void sleep(Duration time) {
    try {
      Thread.sleep(time);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  /// The summary with these notes.
  RunSummary noted(RunSummary draft) {
    Execution before = draft.execution();
    List<String> all = new ArrayList<>(before.notes());
    all.addAll(notes);
    return new RunSummary(
        draft.name(),
        draft.ending(),
        draft.course(),
        draft.heldOut(),
        draft.model(),
        draft.text(),
        new Execution(before.backend(), before.device(), before.precision(), before.path(), all),
        draft.machine(),
        draft.versions(),
        draft.pipeline());
  }
}
