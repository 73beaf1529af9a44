package moe.backend.cuda;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.stream.Stream;
import moe.engine.config.PipelineConfig;
import moe.engine.config.PipelineFile;
import moe.engine.metrics.HeldOutMetrics;
import moe.engine.metrics.RunSummary;
import moe.engine.metrics.StepMetrics;
import moe.engine.plugin.PluginRegistry;
import moe.engine.run.PipelineRun;
import moe.engine.run.RunRequest;
import moe.engine.run.RunWatcher;
import moe.engine.wiring.BackendRequest;
import moe.spi.BackendFactory;
import moe.spi.Factory;
import moe.spi.stage.CombinerFactory;
import moe.spi.stage.DispatcherFactory;
import moe.spi.stage.ExpertExecutorFactory;
import moe.spi.stage.FusedMoeFactory;
import moe.spi.stage.RouterFactory;

/// A whole run of a tiny pipeline, and what was to be seen of it.
final class EngineRun implements RunWatcher {
  private static final String PIPELINE =
      """
      [pipeline]
      name = "tiny"
      [model]
      layers = 2
      heads = 2
      d_model = 8
      context = 16
      [moe]
      experts = 4
      d_hidden = 16
      [run]
      epochs = 1
      batch_size = 1
      seq_length = 16
      accumulate = 2
      learning_rate = 0.01
      warmup = 1
      [metrics]
      held_out_every = 0
      held_out_batches = 8
      """;

  final List<String> notices = new ArrayList<>();
  final List<StepMetrics> steps = new ArrayList<>();

  private final int stopAfter;

  private EngineRun(int stopAfter) {
    this.stopAfter = stopAfter;
  }

  /// Runs a pipeline on the CPU or on CUDA, emulated where there is none.
  ///
  /// @param backend `cpu` or `cuda`
  /// @param out the run directory
  /// @param overrides each `section.key=value`
  static EngineRun of(
      EmulatedWhereThereIsNone cuda, String backend, Path out, String... overrides) {
    return of(cuda, backend, out, Integer.MAX_VALUE, overrides);
  }

  /// As `of`; goes on where an earlier run in the directory stopped.
  ///
  /// @param stopAfter steps to be seen before somebody asks it to stop
  static EngineRun of(
      EmulatedWhereThereIsNone cuda, String backend, Path out, int stopAfter, String... overrides) {
    EngineRun run = new EngineRun(stopAfter);
    try (PluginRegistry registry = PluginRegistry.of(factories(cuda))) {
      PipelineConfig config =
          PipelineFile.parse(
                  "tiny.toml",
                  PIPELINE.getBytes(StandardCharsets.UTF_8),
                  List.of(overrides),
                  registry.catalog())
              .orThrow();
      RunRequest request =
          new RunRequest(
              config, BackendRequest.only(backend), Optional.of(out), Files.exists(out), "test");
      RunSummary summary =
          PipelineRun.run(request, registry, run, () -> run.steps.size() >= run.stopAfter);
      run.notices.add(summary.ending().reason() + ": " + summary.ending().detail());
    }
    return run;
  }

  /// All that is installed, with this CUDA backend.
  static Factory[] factories(EmulatedWhereThereIsNone cuda) {
    Stream<Factory> stages =
        Stream.of(
                RouterFactory.class,
                DispatcherFactory.class,
                ExpertExecutorFactory.class,
                CombinerFactory.class,
                FusedMoeFactory.class)
            .flatMap(EngineRun::installed);
    Stream<Factory> backends =
        installed(BackendFactory.class).filter(factory -> !factory.name().equals(cuda.name()));
    return Stream.of(stages, backends, Stream.of(cuda))
        .flatMap(factory -> factory)
        .toArray(Factory[]::new);
  }

  private static Stream<Factory> installed(Class<? extends Factory> service) {
    return ServiceLoader.load(service).stream().map(ServiceLoader.Provider::get);
  }

  List<Double> losses() {
    return steps.stream().map(step -> step.losses().total()).toList();
  }

  @Override
  public void notice(String line) {
    notices.add(line);
  }

  @Override
  public void begin(Path directory, RunSummary summary) {}

  @Override
  public void looking(int step) {}

  @Override
  public void looked(HeldOutMetrics result) {}

  @Override
  public void step(StepMetrics step) {
    steps.add(step);
  }

  @Override
  public void saved(Path checkpoint) {}
}
