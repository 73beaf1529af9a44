package moe.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import moe.engine.metrics.RunFiles;
import moe.engine.metrics.RunRecord;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// A run that writes a checkpoint after each step is killed at random moments, goes on each time,
/// and in the end has the losses of an undisturbed one.
///
/// `-Dmoe.kills=25` kills more often, `-Dmoe.seed=…` at the moments of an earlier test.
final class KillTest {
  private static final int KILLS = Integer.getInteger("moe.kills", 3);
  private static final int STEPS_PER_KILL = 5;

  @TempDir private Path directory;

  private final long seed = Long.getLong("moe.seed", System.nanoTime());
  private final SplittableRandom random = new SplittableRandom(seed);

  @Test
  @Timeout(1200)
  void resumesAfterKillsWithEqualLossesToTheBit() throws IOException, InterruptedException {
    int steps = STEPS_PER_KILL * (KILLS + 1);
    TinyRun whole = TinyRun.in(Files.createDirectory(directory.resolve("whole")), steps);
    EngineProcess undisturbed =
        EngineProcess.start(directory, whole.args("--set", "run.checkpoint_every=0"));
    assertThat(undisturbed.exitCode()).as(undisturbed.errors()).isZero();

    TinyRun killed = TinyRun.in(Files.createDirectory(directory.resolve("killed")), steps);
    int kills = 0;
    for (int i = 0; i < KILLS; i++) {
      kills += killSomewhere(killed) ? 1 : 0;
    }
    EngineProcess last = EngineProcess.start(directory, killed.args("--resume"));
    assertThat(last.exitCode()).as("-Dmoe.seed=%d: %s", seed, last.errors()).isZero();
    assertThat(losses(killed)).as("-Dmoe.seed=%d", seed).hasSize(steps).isEqualTo(losses(whole));
    assertThat(kills).as("-Dmoe.seed=%d", seed).isPositive();
    System.err.printf(
        "KillTest: %d kills of %d processes; -Dmoe.kills=%<d -Dmoe.seed=%d repeats them%n",
        kills, KILLS, seed);
  }

  /// One time in three at any moment of the start, otherwise after some more steps.
  ///
  /// @return whether it was still running
  private boolean killSomewhere(TinyRun run) throws IOException, InterruptedException {
    EngineProcess engine = EngineProcess.start(directory, run.args("--resume"));
    if (random.nextInt(3) == 0) {
      pause(random.nextLong(2_000_000_000));
    } else {
      long enough = length(run) + random.nextInt(3 * 400); // a line is near 400 bytes
      while (engine.process().isAlive() && length(run) < enough) {
        pause(200_000);
      }
      pause(random.nextLong(60_000_000)); // a step with its checkpoint takes about as long
    }
    boolean running = engine.process().isAlive();
    engine.kill();
    if (!running) {
      assertThat(engine.exitCode()).as("-Dmoe.seed=%d: %s", seed, engine.errors()).isZero();
    }
    return running;
  }

  private static void pause(long nanos) throws InterruptedException {
    Thread.sleep(nanos / 1_000_000, (int) (nanos % 1_000_000));
  }

  private static long length(TinyRun run) throws IOException {
    Path metrics = new RunFiles(run.out()).metrics();
    return Files.exists(metrics) ? Files.size(metrics) : 0;
  }

  private static List<String> losses(TinyRun run) {
    List<String> losses = new ArrayList<>();
    new RunRecord(new RunFiles(run.out()))
        .steps(step ->
            losses.add(
                "%d: %s %s"
                    .formatted(
                        step.step(),
                        Double.toHexString(step.losses().crossEntropy()),
                        step.update().gradientNorm())));
    return losses;
  }
}
