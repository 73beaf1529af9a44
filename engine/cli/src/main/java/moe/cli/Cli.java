package moe.cli;

import java.io.PrintWriter;
import picocli.CommandLine;

/// The command line as a function: arguments in, text on two writers and an exit code out.
final class Cli {
  private Cli() {}

  /// Runs one command; results go to `out`, progress and errors to `err`.
  static int run(PrintWriter out, PrintWriter err, String... args) {
    return execute(create(out, err), args);
  }

  static int execute(CommandLine root, String... args) {
    try {
      return root.execute(args);
    } catch (OutOfMemoryError e) { // picocli hands on exceptions, not errors
      return Failures.report(e, root);
    }
  }

  /// The parser with all commands, before any argument.
  static CommandLine create(PrintWriter out, PrintWriter err) {
    return new CommandLine(new MoeEngine())
        .setOut(out)
        .setErr(err)
        .setUsageHelpWidth(100)
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setParameterExceptionHandler(new UsageErrors())
        .setExecutionExceptionHandler((e, command, parsed) -> Failures.report(e, command));
  }
}
