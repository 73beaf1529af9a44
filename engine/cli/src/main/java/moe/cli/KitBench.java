package moe.cli;

import java.io.PrintWriter;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import moe.conformance.Conformance;
import moe.conformance.ConformanceReport;
import moe.conformance.rule.Rule;
import moe.conformance.trial.Subject;
import moe.engine.config.StageCatalog;
import moe.engine.plugin.PluginRegistry;
import moe.engine.plugin.Provider;
import moe.engine.plugin.Service;
import moe.engine.wiring.BackendSurvey;
import moe.engine.wiring.DeviceChoice;
import moe.engine.wiring.FormatChoice;
import moe.spi.Availability;
import moe.spi.BackendFactory;
import moe.spi.device.Compute;
import moe.spi.device.DeviceInfo;
import moe.spi.stage.StageFactory;

/// Runs the conformance kit on what is installed.
final class KitBench {
  private final PluginRegistry registry;
  private final List<Rule> rules;
  private final PrintWriter err;

  KitBench(PluginRegistry registry, List<Rule> rules, PrintWriter err) {
    this.registry = registry;
    this.rules = rules;
    this.err = err;
  }

  /// The device of a backend that `wanted` means, if it multiplies in a format.
  ///
  /// @throws moe.spi.error.MoeException kinds `USAGE` or `PLUGIN` if there is no such backend
  DeviceChoice device(String backend, String wanted, Compute compute) {
    if (!StageCatalog.STANDARD_BACKENDS.contains(backend)) {
      var _ = registry.require(BackendFactory.class, backend);
    }
    BackendSurvey survey =
        BackendSurvey.all(registry).stream()
            .filter(one -> one.name().equals(backend))
            .findFirst()
            .orElseThrow();
    return switch (survey.availability()) {
      case Availability.Available(List<DeviceInfo> devices) ->
          switch (DeviceChoice.among(devices, wanted)) {
            case DeviceChoice.One one ->
                FormatChoice.refusal(factory(backend), one.device(), compute)
                    .<DeviceChoice>map(DeviceChoice.None::new)
                    .orElse(one);
            case DeviceChoice.None none -> none;
          };
      case Availability.Unavailable(String reason, var _) -> new DeviceChoice.None(reason);
    };
  }

  /// Tries the rules on one device, with all installed stages that can run there.
  KitRun run(String backend, DeviceInfo device, Compute compute) {
    KitProgress progress = new KitProgress(err, backend);
    ConformanceReport report =
        Conformance.run(new Subject(factory(backend), stages()), device, compute, rules, progress);
    progress.finish();
    return KitRun.of(report, LocalDate.now(ZoneOffset.UTC).toString());
  }

  private BackendFactory factory(String backend) {
    return registry.find(BackendFactory.class, backend, StageFactory.ANY_BACKEND).orElseThrow();
  }

  private List<StageFactory<?>> stages() {
    List<StageFactory<?>> stages = new ArrayList<>();
    for (Service service : Service.values()) {
      for (Provider<?> provider : registry.providers(service.type())) {
        if (provider.factory() instanceof StageFactory<?> stage) {
          stages.add(stage);
        }
      }
    }
    return stages;
  }
}
