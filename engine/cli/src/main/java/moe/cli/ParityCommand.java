package moe.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import moe.engine.config.BlockPath;
import moe.engine.config.PipelineConfig;
import moe.engine.config.PipelineFile;
import moe.engine.parity.ParityCheck;
import moe.engine.parity.ParityReport;
import moe.engine.plugin.PluginRegistry;
import moe.engine.wiring.BackendSelection;
import moe.engine.wiring.Refusal;
import moe.engine.wiring.StageRequest;
import moe.engine.wiring.StageSelection;
import moe.spi.device.Compute;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// Compares the engine with the results of another implementation.
@Command(
    name = "parity",
    description = "Compares the engine with the results of another implementation.",
    mixinStandardHelpOptions = true,
    footerHeading = "%nExamples:%n",
    footer = {
      "  moe-engine parity checkpoints/gpt2moe-tiny",
      "  moe-engine parity checkpoints/gpt2moe-tiny --backend cpu --path baseline --json",
      "  moe-engine parity checkpoints/gpt2moe-tiny --backend cuda --dtype bf16",
      "",
      "DIR holds config.json, model.safetensors, reference.safetensors and reference.json."
          + " Compared",
      "is what the reference holds: logits, last_hidden, layer*.expert_ids, grad.*, losses,",
      "logits_after, greedy. Exit code 0 if all is within tolerance, 1 if not."
    })
final class ParityCommand implements Callable<Integer> {
  private static final String SETTABLE =
      "(backend|router|dispatcher|experts|combiner)\\..*|precision\\.compute";

  /// The engine's numbers are not those of the reference.
  static final int DIFFERENT = 1;

  @Parameters(
      paramLabel = "DIR",
      description = "A Hugging Face directory with a reference beside its weights.")
  private Path directory;

  @Mixin private BackendOption backendOption;

  @Option(
      names = "--path",
      paramLabel = "PATH",
      description = "Of ${COMPLETION-CANDIDATES}; default: auto.")
  private @Nullable BlockPath path;

  @Option(
      names = "--dtype",
      paramLabel = "TYPE",
      converter = ComputeName.class,
      description = {
        "Format in which matrix products multiply, which decides what errors are within tolerance:",
        "f32, tf32, bf16 or f16, of those that the backend has. Default: f32."
      },
      defaultValue = "auto")
  private Compute dtype;

  @Option(
      names = "--set",
      paramLabel = "SECTION.KEY=VALUE",
      description =
          "A key of a pipeline file, of those that choose backend and stages; may be repeated.")
  private List<String> overrides = List.of();

  @Option(names = "--json", description = "Print JSON instead of a table.")
  private boolean json;

  @Spec private CommandSpec spec;

  ParityCommand() {}

  @Override
  public Integer call() {
    try (PluginRegistry registry = Installed.load(spec.commandLine().getErr())) {
      PipelineConfig config = settings(registry);
      try (BackendSelection selection =
          BackendSelection.open(
              registry, backendOption.request(config.backend()).in(compute(config)))) {
        return compare(registry, stages(config), selection);
      }
    }
  }

  private int compare(PluginRegistry registry, StageRequest request, BackendSelection selection) {
    List<Refusal> refusals = new ArrayList<>(selection.refusals());
    List<BlockPath> chosen = new ArrayList<>();
    ParityReport report =
        ParityCheck.run(
            directory,
            selection.backend(),
            block -> {
              StageSelection stages =
                  StageSelection.choose(registry, request, block, selection.backend());
              refusals.addAll(stages.refusals());
              chosen.add(stages.block().path());
              return stages;
            });
    ParityText text =
        new ParityText(
            selection.backend().device(),
            selection.backend().precision(),
            chosen,
            refusals,
            directory,
            report);
    spec.commandLine().getOut().print(json ? text.json() : text.table());
    spec.commandLine().getOut().flush();
    return report.ok() ? 0 : DIFFERENT;
  }

  /// References are in float32, so the products are unless the user asks for another format.
  private Compute compute(PipelineConfig config) {
    Compute asked = dtype == Compute.AUTO ? config.precision().compute() : dtype;
    return asked == Compute.AUTO ? Compute.F32 : asked;
  }

  private StageRequest stages(PipelineConfig config) {
    StageRequest request = StageRequest.of(config);
    return path == null ? request : request.on(path);
  }

  /// The defaults with the overrides; sizes come from the checkpoint, so they may not be set.
  private PipelineConfig settings(PluginRegistry registry) {
    PipelineConfig config =
        PipelineFile.parse("command line", new byte[0], overrides, registry.catalog()).orThrow();
    for (String key : config.given()) {
      if (!key.equals("moe.path") && !key.matches(SETTABLE)) {
        throw new MoeException(
            ErrorKind.USAGE,
            "--set %s: parity takes backend.*, router.*, dispatcher.*, experts.*, combiner.*, precision.compute and moe.path; the rest comes from the checkpoint"
                .formatted(key));
      }
    }
    return config;
  }
}
