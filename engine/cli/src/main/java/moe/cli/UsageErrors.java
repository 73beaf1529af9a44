package moe.cli;

import java.io.PrintWriter;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.IParameterExceptionHandler;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/// Arguments that make no sense: one line that names the word and a near one, one line that leads
/// on.
final class UsageErrors implements IParameterExceptionHandler {
  static final int EXIT_CODE = 2;

  UsageErrors() {}

  @Override
  public int handleParseException(ParameterException e, String[] args) {
    CommandLine command = e.getCommandLine();
    String name = command.getCommandSpec().qualifiedName();
    PrintWriter err = command.getCommandSpec().root().commandLine().getErr();
    err.printf("%s: %s%n", name, describe(e));
    err.printf("See %s --help%n", name);
    return EXIT_CODE;
  }

  private static String describe(ParameterException e) {
    if (!(e instanceof UnmatchedArgumentException unmatched)) {
      return Failures.text(e);
    }
    String word = unmatched.getUnmatched().getFirst();
    return "unknown " + kind(unmatched, word) + " '" + word + "'." + suggestion(unmatched);
  }

  private static String kind(UnmatchedArgumentException e, String word) {
    if (word.startsWith("-")) {
      return "option";
    }
    return e.getCommandLine().getSubcommands().isEmpty() ? "argument" : "command";
  }

  private static String suggestion(UnmatchedArgumentException e) {
    List<String> near = e.getSuggestions();
    return near.isEmpty() ? "" : " Did you mean " + near.getFirst() + "?";
  }
}
