package moe.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Collection;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;

/// The frame of the command line: help, near misses, completion.
final class CliTest {
  static Collection<CommandLine> commands() {
    return root().getSubcommands().values();
  }

  @ParameterizedTest
  @MethodSource("commands")
  void everyCommandShowsAnExampleOfItself(CommandLine command) {
    assertThat(command.getHelp().footer()).contains("moe-engine " + command.getCommandName());
  }

  @ParameterizedTest
  @MethodSource("commands")
  void everyCommandHasHelpAndADescription(CommandLine command) {
    Transcript help = Transcript.of(command.getCommandName(), "--help");
    assertThat(help.exitCode()).isZero();
    assertThat(help.out()).startsWith("Usage: moe-engine " + command.getCommandName());
    assertThat(command.getHelp().description()).isNotBlank();
  }

  @Test
  void helpListsTheExitCodes() {
    assertThat(Transcript.of("--help").out()).contains("2 usage").contains("130 interrupted");
  }

  @Test
  void versionNamesEngineAndJava() {
    assertThat(Transcript.of("--version").out()).startsWith("moe-engine ").contains("Java 25");
  }

  @Test
  void namesTheNearestCommand() {
    assertThat(Transcript.of("completoin"))
        .isEqualTo(
            new Transcript(
                2,
                "",
                """
                moe-engine: unknown command 'completoin'. Did you mean completion?
                See moe-engine --help
                """));
  }

  @Test
  void namesTheNearestOption() {
    Transcript run = Transcript.of("completion", "--stack");
    assertThat(run.exitCode()).isEqualTo(2);
    assertThat(run.err()).contains("unknown option '--stack'. Did you mean --stacktrace?");
  }

  @Test
  void asksForACommand() {
    assertThat(Transcript.of().exitCode()).isEqualTo(2);
    assertThat(Transcript.of().err()).startsWith("moe-engine: a command is missing");
  }

  @Test
  void printsACompletionScriptForBothShells() {
    assertThat(Transcript.of("completion").out()).contains("complete -F").contains("completion");
    assertThat(Transcript.of("completion", "zsh").out()).startsWith("autoload");
    assertThat(Transcript.of("completion", "fish").exitCode()).isEqualTo(2);
  }

  private static CommandLine root() {
    return Cli.create(new PrintWriter(new StringWriter()), new PrintWriter(new StringWriter()));
  }
}
