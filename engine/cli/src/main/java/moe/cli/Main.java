package moe.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.PrintWriter;

/// The entry point of the process: runs one command and ends with its exit code.
public final class Main {
  private Main() {}

  /// Runs the command that `args` name and exits.
  public static void main(String[] args) {
    var out = new PrintWriter(System.out, true, UTF_8);
    var err = new PrintWriter(System.err, true, UTF_8);
    int code = Cli.run(out, err, args);
    out.flush();
    err.flush();
    System.exit(code);
  }
}
