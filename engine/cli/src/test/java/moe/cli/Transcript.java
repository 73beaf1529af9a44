package moe.cli;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.function.Consumer;
import picocli.CommandLine;

/// What one run of the command line printed, and its exit code.
record Transcript(int exitCode, String out, String err) {
  /// Runs the engine's own command line.
  static Transcript of(String... args) {
    return with(root -> {}, args);
  }

  /// Runs the command line after a test has added something to it.
  static Transcript with(Consumer<CommandLine> addition, String... args) {
    var out = new StringWriter();
    var err = new StringWriter();
    CommandLine root = Cli.create(new PrintWriter(out, true), new PrintWriter(err, true));
    addition.accept(root);
    int code = Cli.execute(root, args);
    return new Transcript(code, out.toString(), err.toString());
  }
}
