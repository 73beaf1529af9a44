package moe.engine.run;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class TwoProcessesTest {
  @TempDir private Path directory;

  @Test
  void theSecondIsRefusedUntilTheFirstEndsHoweverItEnds() throws IOException, InterruptedException {
    for (boolean killed : new boolean[] {false, true}) {
      Process first = hold();
      assertThatThrownBy(() -> RunDirectory.open(HeldRun.request(directory)))
          .isInstanceOfSatisfying(
              MoeException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.USAGE))
          .hasMessageStartingWith(directory + ": another run is writing there");
      if (killed) {
        first.destroyForcibly();
      } else {
        first.outputWriter(UTF_8).close();
      }
      first.waitFor();
      RunDirectory.open(HeldRun.request(directory)).close();
    }
  }

  private Process hold() throws IOException {
    Process first =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty(
                    "surefire.test.class.path", System.getProperty("java.class.path")),
                HeldRun.class.getName(),
                directory.toString())
            .redirectErrorStream(true)
            .start();
    assertThat(first.inputReader(UTF_8).readLine()).isEqualTo("holding " + directory);
    return first;
  }
}
