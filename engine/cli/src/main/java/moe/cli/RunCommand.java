package moe.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import moe.engine.config.PipelineConfig;
import moe.engine.config.Problem;
import moe.engine.config.Reading;
import moe.engine.files.PlainFile;
import moe.engine.metrics.Ending;
import moe.engine.metrics.RunFiles;
import moe.engine.metrics.RunSummary;
import moe.engine.plugin.PluginRegistry;
import moe.engine.run.PipelineRun;
import moe.engine.run.RunRequest;
import moe.engine.wiring.BackendRequest;
import moe.spi.error.ErrorKind;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// Trains or evaluates what a pipeline file describes.
@Command(
    name = "run",
    description = "Trains or evaluates what a pipeline file describes, and writes a report.",
    mixinStandardHelpOptions = true,
    footerHeading = "%nExamples:%n",
    footer = {
      "  moe-engine run pipelines/distilgpt2.toml",
      "  moe-engine run pipelines/distilgpt2.toml --set run.time_limit=1h --out runs/long",
      "  moe-engine run pipelines/distilgpt2.toml --set run.time_limit=1h --out runs/long --resume",
      "",
      "Ctrl-C stops after the step, with a checkpoint and a report, and exit code 130."
    })
final class RunCommand implements Callable<Integer> {
  @Mixin private PipelineOption pipeline;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description = "The run directory; default: a new one below runs, by the pipeline's name.")
  private @Nullable Path out;

  @Option(
      names = "--backend",
      paramLabel = "NAME",
      description = "Only this backend, whatever the file prefers: a refusal is an error.")
  private @Nullable String backend;

  @Option(
      names = "--resume",
      description = "Go on from the last checkpoint in the run directory, as if never stopped.")
  private boolean resume;

  @Option(names = "--json", description = "Print summary.json instead of a few lines.")
  private boolean json;

  @Spec private CommandSpec spec;

  RunCommand() {}

  @Override
  public Integer call() throws IOException {
    PrintWriter err = spec.commandLine().getErr();
    try (PluginRegistry registry = Installed.load(err)) {
      return switch (pipeline.read(registry)) {
        case Reading.Valid(PipelineConfig config) -> run(config, registry, err);
        case Reading.Invalid(var _, List<Problem> problems, ErrorKind kind) -> {
          problems.forEach(err::println);
          yield kind.exitCode();
        }
      };
    }
  }

  private int run(PipelineConfig config, PluginRegistry registry, PrintWriter err)
      throws IOException {
    BackendRequest asked =
        backend == null
            ? BackendRequest.of(config)
            : new BackendRequest(
                List.of(backend), config.backend().device(), config.precision().compute());
    RunRequest request =
        new RunRequest(config, asked, Optional.ofNullable(out), resume, Version.ofEngine());
    try (Interruption interruption = Interruption.watch()) {
      RunProgress progress = RunProgress.on(err);
      RunSummary summary;
      try (progress) {
        summary = PipelineRun.run(request, registry, progress, interruption::requested);
      }
      Path directory = Objects.requireNonNull(progress.directory());
      PrintWriter stdout = spec.commandLine().getOut();
      stdout.print(
          json
              ? PlainFile.text(new RunFiles(directory).summary())
              : RunResult.text(directory, summary));
      stdout.flush();
      return exitCode(summary.ending(), err);
    }
  }

  private static int exitCode(Ending ending, PrintWriter err) {
    return switch (ending.reason()) {
      case COMPLETED, TIME_LIMIT -> 0;
      case INTERRUPTED -> Failures.INTERRUPTED;
      case DIVERGED -> {
        err.println("moe-engine: " + ending.detail());
        yield ErrorKind.USAGE.exitCode();
      }
      case RUNNING, FAILED -> Failures.INTERNAL;
    };
  }
}
