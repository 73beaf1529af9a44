package moe.cli;

import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import moe.engine.config.PipelineConfig;
import moe.engine.config.Problem;
import moe.engine.config.Reading;
import moe.engine.plugin.PluginRegistry;
import moe.spi.error.ErrorKind;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// Checks a pipeline file and shows all its problems at once.
@Command(
    name = "validate",
    description = "Checks a pipeline file and shows all its problems at once.",
    mixinStandardHelpOptions = true,
    footerHeading = "%nExamples:%n",
    footer = {
      "  moe-engine validate pipelines/distilgpt2.toml",
      "  moe-engine validate pipelines/distilgpt2.toml --set moe.top_k=1 --set run.time_limit=90s",
      "  moe-engine validate pipelines/distilgpt2.toml --resolved > all-keys.toml",
      "",
      "Exit code 0 if the file can be run as written, 2 if not, 5 if only a plugin is missing."
    })
final class ValidateCommand implements Callable<Integer> {
  @Mixin private PipelineOption pipeline;

  @Option(names = "--resolved", description = "Print the file with every key and its value.")
  private boolean resolved;

  @Option(names = "--json", description = "Print JSON: problems, or all keys with their values.")
  private boolean json;

  @Spec private CommandSpec spec;

  ValidateCommand() {}

  @Override
  public Integer call() {
    PrintWriter out = spec.commandLine().getOut();
    PrintWriter err = spec.commandLine().getErr();
    try (PluginRegistry registry = Installed.load(err)) {
      int code =
          switch (pipeline.read(registry)) {
            case Reading.Valid(PipelineConfig config) -> {
              out.print(json ? json(config) : resolved ? config.toToml() : summary(config));
              yield 0;
            }
            case Reading.Invalid(var _, List<Problem> problems, ErrorKind kind) -> {
              if (json) {
                out.print(json(problems));
              } else {
                problems.forEach(err::println);
              }
              yield kind.exitCode();
            }
          };
      out.flush();
      return code;
    }
  }

  private String summary(PipelineConfig config) {
    return PipelineSummary.of(pipeline.file(), config);
  }

  private String json(PipelineConfig config) {
    Map<String, Object> root = new LinkedHashMap<>();
    root.put("file", pipeline.file());
    root.put("ok", true);
    root.put("problems", List.of());
    root.put("pipeline", config.toMap());
    return Json.text(root);
  }

  private String json(List<Problem> problems) {
    Map<String, Object> root = new LinkedHashMap<>();
    root.put("file", pipeline.file());
    root.put("ok", false);
    root.put(
        "problems",
        problems.stream()
            .map(problem -> Map.of("place", problem.place(), "text", problem.text()))
            .toList());
    return Json.text(root);
  }
}
