package moe.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.NoSuchFileException;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine.Command;

/// Each way to fail has its exit code and one line.
final class FailuresTest {
  static Stream<Arguments> failures() {
    return Stream.of(
        arguments(new MoeException(ErrorKind.USAGE, "a.toml:3: bad"), 2, "a.toml:3: bad"),
        arguments(new MoeException(ErrorKind.DATA, "config.json: bad"), 3, "config.json: bad"),
        arguments(new MoeException(ErrorKind.DEVICE, "no GPU"), 4, "no GPU"),
        arguments(new MoeException(ErrorKind.PLUGIN, "a.jar: bad"), 5, "a.jar: bad"),
        arguments(new MoeException(ErrorKind.PEER, "peer: bad"), 6, "peer: bad"),
        arguments(new NoSuchFileException("x"), 3, "x: no such file or directory"),
        arguments(new UncheckedIOException(new IOException("disk full")), 3, "disk full"),
        arguments(new OutOfMemoryError("Java heap space"), 4, "out of memory (Java heap space)"),
        arguments(new InterruptedException(), 130, "interrupted"),
        arguments(new IllegalStateException("bug"), 1, "internal error: "));
  }

  @ParameterizedTest
  @MethodSource("failures")
  void haveACodeAndOneLine(Throwable failure, int exitCode, String start) {
    Transcript run = run(failure);
    assertThat(run.exitCode()).isEqualTo(exitCode);
    assertThat(run.err()).startsWith("moe-engine: " + start).hasLineCount(1);
    assertThat(run.out()).isEmpty();
  }

  @ParameterizedTest
  @MethodSource("failures")
  void showTheStackTraceWhenAsked(Throwable failure, int exitCode, String start) {
    Transcript run = run(failure, "--stacktrace");
    assertThat(run.exitCode()).isEqualTo(exitCode);
    assertThat(run.err()).startsWith("moe-engine: " + start).contains("\tat moe.cli.FailuresTest");
  }

  @Test
  void askForAReportOfInternalErrors() {
    assertThat(run(new IllegalStateException("bug")).err()).contains("report it with");
    assertThat(run(new IllegalStateException("bug"), "--stacktrace").err())
        .doesNotContain("report it with");
  }

  private static Transcript run(Throwable failure, String... options) {
    String[] args = Stream.concat(Stream.of("fail"), Stream.of(options)).toArray(String[]::new);
    return Transcript.with(root -> root.addSubcommand("fail", new Fail(failure)), args);
  }

  /// A command that fails as it is told.
  @Command(name = "fail")
  static final class Fail implements Callable<Integer> {
    private final Throwable failure;

    Fail(Throwable failure) {
      this.failure = failure;
    }

    @Override
    public Integer call() throws Exception {
      switch (failure) {
        case Exception e -> throw e;
        case Error e -> throw e;
        default -> throw new AssertionError(failure);
      }
    }
  }
}
