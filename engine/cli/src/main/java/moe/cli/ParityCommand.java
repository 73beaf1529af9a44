package moe.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import moe.engine.config.BlockPath;
import moe.engine.parity.ParityCheck;
import moe.engine.parity.ParityReport;
import moe.engine.plugin.PluginRegistry;
import moe.engine.wiring.BackendSelection;
import moe.engine.wiring.Refusal;
import moe.engine.wiring.StageRequest;
import moe.engine.wiring.StageSelection;
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
      "",
      "DIR holds config.json, model.safetensors, reference.safetensors and reference.json."
          + " Compared",
      "is what the reference holds: logits, last_hidden, layer*.expert_ids, grad.*, losses,",
      "logits_after, greedy. Exit code 0 if all is within tolerance, 1 if not."
    })
final class ParityCommand implements Callable<Integer> {
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
      description = "Of ${COMPLETION-CANDIDATES}; default: ${DEFAULT-VALUE}.",
      defaultValue = "auto")
  private BlockPath path;

  @Option(names = "--json", description = "Print JSON instead of a table.")
  private boolean json;

  @Spec private CommandSpec spec;

  ParityCommand() {}

  @Override
  public Integer call() {
    try (PluginRegistry registry = Installed.load(spec.commandLine().getErr());
        BackendSelection selection = BackendSelection.open(registry, backendOption.request())) {
      List<Refusal> refusals = new ArrayList<>(selection.refusals());
      List<BlockPath> chosen = new ArrayList<>();
      ParityReport report =
          ParityCheck.run(
              directory,
              selection.backend(),
              block -> {
                StageSelection stages =
                    StageSelection.choose(
                        registry, StageRequest.STANDARD.on(path), block, selection.backend());
                refusals.addAll(stages.refusals());
                chosen.add(stages.block().path());
                return stages;
              });
      ParityText text =
          new ParityText(selection.backend().device(), chosen, refusals, directory, report);
      spec.commandLine().getOut().print(json ? text.json() : text.table());
      spec.commandLine().getOut().flush();
      return report.ok() ? 0 : DIFFERENT;
    }
  }
}
