package moe.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// A whole run, of which one allocation finds no room: one line, exit code 4, every tensor closed.
///
/// Some allocations by chance; `-Dmoe.allocations=all` for each, `-Dmoe.seed=…` for the same again.
final class RunWithoutRoomTest {
  private static final String FAIL = "moe.fail.allocation";
  private static final String TRACE = "moe.trace.allocations";
  private static final boolean ALL = "all".equals(System.getProperty("moe.allocations"));
  private static final int SOME = 4;
  private static final int LEAST = 100; // a run makes more

  @TempDir private Path directory;

  private final Logger logger = Logger.getLogger("moe.backend");
  private final Leaks leaks = new Leaks();

  @BeforeEach
  void trace() {
    System.setProperty(TRACE, "true");
    logger.addHandler(leaks);
  }

  @AfterEach
  void dontTrace() {
    logger.removeHandler(leaks);
    System.clearProperty(TRACE);
    System.clearProperty(FAIL);
  }

  @ParameterizedTest
  @ValueSource(strings = {"cpu", "opencl"})
  void endsTheRunInOneLineAndLeavesNothingOpen(String backend) throws IOException {
    TinyRun run = TinyRun.in(directory, 1);
    int tried = 0;
    if (ALL) {
      while (fails(run, backend, tried + 1, "")) {
        tried++;
      }
      System.err.printf("RunWithoutRoomTest: %s, each of %d allocations%n", backend, tried);
      assertThat(tried).isGreaterThanOrEqualTo(LEAST);
    } else {
      long seed = Long.getLong("moe.seed", System.nanoTime());
      SplittableRandom random = new SplittableRandom(seed);
      for (; tried < SOME; tried++) {
        String repeat = "-Dmoe.seed=" + seed;
        assertThat(fails(run, backend, 1 + random.nextInt(LEAST), repeat)).as(repeat).isTrue();
      }
    }
    System.clearProperty(FAIL);
    assertThat(Transcript.of(run.args("--backend", backend)).exitCode()).isZero();
  }

  private boolean fails(TinyRun run, String backend, int allocation, String repeat)
      throws IOException {
    System.setProperty(FAIL, Integer.toString(allocation));
    Path out = Files.createTempDirectory(directory, "run");
    Transcript made =
        Transcript.of("run", run.file().toString(), "--out", out.toString(), "--backend", backend);
    assertThat(leaks.found).as("allocation %d, %s", allocation, repeat).isEmpty();
    if (made.exitCode() == 0) {
      return false;
    }
    assertThat(made.exitCode()).as("%d, %s: %s", allocation, repeat, made.err()).isEqualTo(4);
    assertThat(made.err())
        .as("%d, %s", allocation, repeat)
        .contains(backend + ": no room ")
        .doesNotContain("Exception")
        .doesNotContain("\tat ");
    return true;
  }

  /// The warnings about tensors that nobody closed.
  private static final class Leaks extends Handler {
    private final List<String> found = new ArrayList<>();

    @Override
    public void publish(LogRecord record) {
      if (record.getMessage().contains("never closed")) {
        found.add(record.getMessage() + ": " + record.getThrown());
      }
    }

    @Override
    public void flush() {}

    @Override
    public void close() {}
  }
}
