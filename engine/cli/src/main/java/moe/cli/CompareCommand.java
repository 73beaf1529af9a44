package moe.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import moe.engine.compare.Arm;
import moe.engine.compare.Comparison;
import moe.engine.compare.ComparisonPage;
import moe.engine.compare.Tournament;
import moe.engine.config.PipelineConfig;
import moe.engine.config.Problem;
import moe.engine.config.Reading;
import moe.engine.files.SafeFile;
import moe.engine.plugin.PluginRegistry;
import moe.engine.wiring.BackendRequest;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// Sets the arms of a pipeline file against each other.
@Command(
    name = "compare",
    description = "Sets variants of a pipeline against each other, turn by turn.",
    mixinStandardHelpOptions = true,
    footerHeading = "%nExamples:%n",
    footer = {
      "  moe-engine compare pipelines/compare-fused.toml",
      "  moe-engine compare pipelines/lambda-sweep.toml --set compare.window=10s --out sweep",
      "",
      "[compare] arms names them, each as overrides of the file. All are loaded and warmed up,"
          + " then",
      "take turns A B C A B C. An arm that fails leaves the others; the exit code tells."
    })
final class CompareCommand implements Callable<Integer> {
  @Mixin private PipelineOption pipeline;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description = "Where compare.json and compare.html go; default: runs/compare-NAME.")
  private @Nullable Path out;

  @Option(
      names = "--backend",
      paramLabel = "NAME",
      description = "Only this backend, for arms that do not set backend.prefer.")
  private @Nullable String backend;

  @Option(names = "--json", description = "Print compare.json instead of a table.")
  private boolean json;

  @Spec private CommandSpec spec;

  CompareCommand() {}

  @Override
  public Integer call() throws IOException {
    PrintWriter err = spec.commandLine().getErr();
    try (PluginRegistry registry = Installed.load(err)) {
      return switch (pipeline.read(registry)) {
        case Reading.Valid(PipelineConfig config) -> compare(config, registry, err);
        case Reading.Invalid(var _, List<Problem> problems, ErrorKind kind) -> {
          problems.forEach(err::println);
          yield kind.exitCode();
        }
      };
    }
  }

  private int compare(PipelineConfig config, PluginRegistry registry, PrintWriter err)
      throws IOException {
    List<Arm> arms = Arm.of(pipeline.file(), config.compare().arms());
    String name = config.pipeline().name();
    Path directory =
        Optional.ofNullable(out)
            .orElse(Path.of("runs", "compare-" + name.replaceAll("[^A-Za-z0-9._-]+", "-")));
    try {
      Files.createDirectories(directory);
    } catch (IOException refused) {
      throw SafeFile.refused(directory, refused);
    }
    Comparison comparison;
    try (Interruption interruption = Interruption.watch();
        Tournament tournament =
            new Tournament(
                config.compare(),
                line -> {
                  err.println(line);
                  err.flush();
                },
                interruption::requested)) {
      for (Arm arm : arms) {
        load(tournament, arm, registry, directory);
      }
      comparison = tournament.run(name, arms);
      conclude(comparison, directory);
      return interruption.requested()
          ? Failures.INTERRUPTED
          : comparison.failure().map(ErrorKind::exitCode).orElse(0);
    }
  }

  private void load(Tournament tournament, Arm arm, PluginRegistry registry, Path directory) {
    switch (pipeline.read(registry, arm.overrides())) {
      case Reading.Valid(PipelineConfig config) -> {
        boolean own = arm.overrides().stream().anyMatch(set -> set.startsWith("backend.prefer"));
        BackendRequest request =
            backend == null || own
                ? BackendRequest.of(config)
                : new BackendRequest(
                    List.of(backend), config.backend().device(), config.precision().compute());
        tournament.add(arm, config, registry, request, directory.resolve("tokens.cache"));
      }
      case Reading.Invalid(var _, List<Problem> problems, ErrorKind kind) ->
          tournament.fail(
              arm,
              new MoeException(
                  kind,
                  problems.stream().map(Problem::toString).collect(Collectors.joining("; "))));
    }
  }

  private void conclude(Comparison comparison, Path directory) {
    String text = Json.text(CompareText.json(comparison));
    SafeFile.write(directory.resolve("compare.json"), text);
    Path page = directory.resolve("compare.html");
    ComparisonPage.write(page, comparison);
    PrintWriter stdout = spec.commandLine().getOut();
    stdout.print(json ? text : CompareText.table(comparison) + "page: " + page + "\n");
    stdout.flush();
  }
}
