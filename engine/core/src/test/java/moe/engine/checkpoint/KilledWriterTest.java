package moe.engine.checkpoint;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Kill -9 at a random moment of writing leaves the checkpoint that was announced last, or the
/// next.
final class KilledWriterTest {
  private static final int KILLS = Integer.getInteger("moe.kills", 25);
  private static final int MOST_MICROS = 60_000; // some checkpoints

  @TempDir private Path directory;

  @Test
  void leavesAWholeCheckpoint() throws IOException, InterruptedException {
    long seed = Long.getLong("moe.seed", System.nanoTime());
    Random random = new Random(seed);
    int announced = 0;
    for (int kill = 0; kill < KILLS; kill++) {
      announced = writeAndKill(announced, random.nextInt(MOST_MICROS));
      Slots.Saved saved = new Slots(directory).latest(_ -> {}).orElseThrow();
      assertThat(saved.state().step())
          .as("kill %d, -Dmoe.seed=%d", kill, seed)
          .isBetween(announced, announced + 1);
      assertThat(SmallModel.isFilled(saved.directory(), saved.state().step())).isTrue();
      announced = saved.state().step();
    }
    assertThat(announced).isGreaterThanOrEqualTo(KILLS);
  }

  /// The step that the writer announced last.
  private int writeAndKill(int before, int micros) throws IOException, InterruptedException {
    Process writer =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty(
                    "surefire.test.class.path", System.getProperty("java.class.path")),
                CheckpointWriter.class.getName(),
                directory.toString())
            .redirectErrorStream(true)
            .start();
    int last = before;
    try (BufferedReader lines = writer.inputReader(UTF_8)) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        if (line.startsWith("saved ")) {
          last = Integer.parseInt(line.substring("saved ".length()));
        }
        if (last > before && writer.isAlive()) {
          TimeUnit.MICROSECONDS.sleep(micros);
          writer.toHandle().destroyForcibly(); // SIGKILL; its last lines can still be read
        }
      }
    }
    assertThat(last).as("the writer worked").isGreaterThan(before);
    return last;
  }
}
