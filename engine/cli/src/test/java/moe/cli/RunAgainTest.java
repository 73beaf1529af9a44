package moe.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Whole runs in one JVM leave no thread, no open file and no memory outside the heap behind:
/// `-Dmoe.runs=300` for more.
@EnabledOnOs(OS.LINUX)
final class RunAgainTest {
  private static final int RUNS = Integer.getInteger("moe.runs", 4);
  private static final int WARM_UP = 2;

  @TempDir private Path directory;

  @ParameterizedTest
  @ValueSource(strings = {"cpu", "opencl"})
  void leavesNothingBehind(String backend) throws IOException {
    TinyRun run = TinyRun.in(directory, 1);
    times(WARM_UP, run, backend);
    Left before = Left.now();
    times(RUNS, run, backend);
    Left after = Left.settled(before);
    assertThat(after.isWithin(before))
        .as("%s after %d runs on %s, %s before", after, RUNS, backend, before)
        .isTrue();
  }

  private void times(int count, TinyRun run, String backend) throws IOException {
    for (int i = 0; i < count; i++) {
      Path out = Files.createTempDirectory(directory, "run");
      Transcript made =
          Transcript.of(
              "run", run.file().toString(), "--out", out.toString(), "--backend", backend);
      assertThat(made.exitCode()).as(made.err()).isZero();
    }
  }
}
