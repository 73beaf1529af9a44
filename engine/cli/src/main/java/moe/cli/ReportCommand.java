package moe.cli;

import java.nio.file.Path;
import moe.engine.report.Report;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// Builds the report page of a run anew.
@Command(
    name = "report",
    description = "Builds report.html anew from the files of a run directory.",
    mixinStandardHelpOptions = true,
    footerHeading = "%nExample:%n",
    footer = {
      "  moe-engine report runs/distilgpt2-moe",
      "",
      "Works for a run that has ended, was killed, or still goes on. The page is one file that",
      "opens in any browser without a network; its path is printed."
    })
final class ReportCommand implements Runnable {
  @Parameters(paramLabel = "DIR", description = "The directory that moe-engine run wrote.")
  private Path directory;

  @Spec private CommandSpec spec;

  ReportCommand() {}

  @Override
  public void run() {
    spec.commandLine().getOut().println(Report.write(directory));
  }
}
