package moe.cli;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/// The command without a subcommand: `--help`, `--version`, and the options that all others share.
@Command(
    name = "moe-engine",
    description = "Runs Mixture-of-Experts pipelines on the JVM.",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    scope = ScopeType.LOCAL,
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      RunCommand.class,
      ValidateCommand.class,
      GenerateCommand.class,
      CompareCommand.class,
      ParityCommand.class,
      BenchCommand.class,
      ConformanceCommand.class,
      BackendsCommand.class,
      PluginsCommand.class,
      DoctorCommand.class,
      ReportCommand.class,
      CompletionCommand.class
    },
    footerHeading = "%nExample:%n",
    footer = {
      "  moe-engine COMMAND --help",
      "",
      "Exit codes: 0 ok, 2 usage or pipeline file, 3 model or data file, 4 device or memory,",
      "5 plugin, 6 peer process, 130 interrupted; 1 an engine error, no parity, no conformance."
    })
final class MoeEngine implements Runnable {
  /// The name of the option below, which error reports mention.
  static final String STACKTRACE = "--stacktrace";

  @Option(
      names = STACKTRACE,
      scope = ScopeType.INHERIT,
      description = "With an error, also print where in the code it came from.")
  private boolean stacktrace;

  @Spec private CommandSpec spec;

  MoeEngine() {}

  boolean stacktrace() {
    return stacktrace;
  }

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "a command is missing");
  }

  /// The root of the command line that `command` is a part of.
  static MoeEngine of(CommandLine command) {
    return command.getCommandSpec().root().userObject() instanceof MoeEngine engine
        ? engine
        : new MoeEngine();
  }
}
