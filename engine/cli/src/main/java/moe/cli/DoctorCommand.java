package moe.cli;

import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import moe.engine.plugin.PluginRegistry;
import moe.spi.error.ErrorKind;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// Looks at the machine and says what would stand in the way of a run.
@Command(
    name = "doctor",
    description = "Looks at Java, memory, backends, plugins and directories; gives remedies.",
    mixinStandardHelpOptions = true,
    footerHeading = "%nExample:%n",
    footer = {"  moe-engine doctor", "", "Exit code 4 if no backend works here, otherwise 0."})
final class DoctorCommand implements Callable<Integer> {
  @Option(names = "--json", description = "Print JSON instead of lines.")
  private boolean json;

  @Spec private CommandSpec spec;

  DoctorCommand() {}

  @Override
  public Integer call() {
    PrintWriter out = spec.commandLine().getOut();
    try (PluginRegistry registry = PluginRegistry.load()) {
      Diagnosis diagnosis = new Diagnosis(registry);
      List<Finding> findings = diagnosis.findings();
      if (json) {
        out.print(
            Json.text(Map.of("findings", findings.stream().map(DoctorCommand::json).toList())));
      } else {
        findings.forEach(finding -> out.print(line(finding)));
      }
      out.flush();
      return diagnosis.anyBackend() ? 0 : ErrorKind.DEVICE.exitCode();
    }
  }

  private static String line(Finding finding) {
    String remedy = finding.remedy().isEmpty() ? "" : ". " + finding.remedy();
    return "%-8s %-8s %s%s%n".formatted(level(finding), finding.subject(), finding.text(), remedy);
  }

  private static Map<String, String> json(Finding finding) {
    return Map.of(
        "level",
        level(finding),
        "subject",
        finding.subject(),
        "text",
        finding.text(),
        "remedy",
        finding.remedy());
  }

  private static String level(Finding finding) {
    return finding.level().name().toLowerCase(Locale.ROOT);
  }
}
