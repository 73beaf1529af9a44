package moe.engine.run;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import moe.engine.config.PipelineConfig;
import moe.engine.config.PipelineFile;
import moe.engine.metrics.HeldOutMetrics;
import moe.engine.metrics.RunFiles;
import moe.engine.metrics.RunRecord;
import moe.engine.metrics.RunSummary;
import moe.engine.metrics.StepMetrics;
import moe.engine.plugin.PluginRegistry;
import moe.engine.wiring.BackendRequest;

/// Runs of a tiny model on the CPU, watched and stopped.
final class SmallRun implements RunWatcher {
  private static final String PIPELINE =
      """
      [pipeline]
      name = "small"
      [model]
      layers = 2
      heads = 2
      d_model = 16
      context = 32
      [moe]
      experts = 4
      d_hidden = 32
      [text]
      path = "moby-dick"
      [run]
      epochs = 1
      batch_size = 2
      seq_length = 16
      accumulate = 2
      learning_rate = 0.003
      warmup = 2
      checkpoint_every = 2
      [metrics]
      held_out_every = 2
      held_out_batches = 2
      """;

  private final Path out;
  private final List<String> notices = new ArrayList<>();
  private int stop = Integer.MAX_VALUE;
  private int last;
  private Runnable inFirstStep = () -> {};

  SmallRun(Path out) {
    this.out = out;
  }

  /// The user will want to stop after this step.
  SmallRun stopAfter(int step) {
    stop = step;
    return this;
  }

  /// Something happens after the first step of the run.
  void whileRunning(Runnable event) {
    inFirstStep = event;
  }

  RunSummary run(boolean resume, int steps, String... overrides) {
    try (PluginRegistry registry = PluginRegistry.load((Path) null)) {
      PipelineConfig config = config(registry, steps, overrides);
      RunRequest request =
          new RunRequest(config, BackendRequest.only("cpu"), Optional.of(out), resume, "test");
      return PipelineRun.run(request, registry, this, () -> last >= stop);
    }
  }

  PipelineConfig config(int steps, String... overrides) {
    try (PluginRegistry registry = PluginRegistry.load((Path) null)) {
      return config(registry, steps, overrides);
    }
  }

  private static PipelineConfig config(PluginRegistry registry, int steps, String... overrides) {
    List<String> all = new ArrayList<>(List.of(overrides));
    all.add("run.batches=" + steps);
    return PipelineFile.parse(
            "small.toml", PIPELINE.getBytes(StandardCharsets.UTF_8), all, registry.catalog())
        .orThrow();
  }

  RunRecord record() {
    return new RunRecord(new RunFiles(out));
  }

  List<String> notices() {
    return notices;
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
    last = step.step();
    if (last == 1) {
      inFirstStep.run();
    }
  }

  @Override
  public void saved(Path checkpoint) {}
}
