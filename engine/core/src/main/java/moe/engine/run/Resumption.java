package moe.engine.run;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import moe.engine.checkpoint.Slots;
import moe.engine.config.PipelineConfig;
import moe.engine.config.PipelineFile;
import moe.engine.config.StageCatalog;
import moe.engine.metrics.RunFiles;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;

/// Whether and where a run goes on.
final class Resumption {
  /// What may change: none of it changes a loss that is a number.
  private static final Set<String> FREE =
      Set.of(
          "pipeline.name",
          "backend.prefer",
          "backend.device",
          "run.time_limit",
          "run.checkpoint_every",
          "run.non_finite",
          "metrics.held_out_every",
          "metrics.held_out_batches",
          "metrics.held_out_windows",
          "energy.meter",
          "energy.window",
          "energy.idle",
          "energy.watts",
          "compare.arms",
          "compare.repeats",
          "compare.window",
          "compare.warmup");

  private Resumption() {}

  /// The checkpoint to go on from; empty to begin at the first step.
  ///
  /// @throws MoeException kind `USAGE` if the directory holds a run of another pipeline
  static Optional<Slots.Saved> find(
      RunFiles files, PipelineConfig config, StageCatalog catalog, Consumer<String> notices) {
    if (Files.exists(files.pipeline())) {
      requireSame(files.pipeline(), config, catalog);
    }
    Optional<Slots.Saved> saved = new Slots(files.directory()).latest(notices);
    if (saved.isEmpty()) {
      notices.accept(files.directory() + ": no checkpoint there; beginning at step 1");
    }
    return saved;
  }

  private static void requireSame(Path earlier, PipelineConfig config, StageCatalog catalog) {
    Map<String, Map<String, Object>> before =
        PipelineFile.read(earlier.toString(), List.of(), catalog).orThrow().toMap();
    Map<String, Map<String, Object>> now = config.toMap();
    now.forEach((section, keys) ->
        keys.forEach((key, value) -> {
          Object old = before.getOrDefault(section, Map.of()).get(key);
          String name = section + "." + key;
          if (!FREE.contains(name) && !value.equals(old)) {
            throw new MoeException(
                ErrorKind.USAGE,
                "%s = %s: the run to resume has %s (%s); use the same, or another --out"
                    .formatted(name, value, old, earlier));
          }
        }));
  }
}
