package moe.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.SplittableRandom;
import moe.spi.Availability;
import moe.spi.error.MoeException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A whole run on CUDA, of which one allocation finds no room: a typed error in one line, nothing
/// left open, and the next run is as ever.
///
/// Some allocations by chance; `-Dmoe.allocations=all` for each, `-Dmoe.seed=…` for the same again.
final class RunWithoutRoomTest {
  private static final String FAIL = "moe.fail.allocation";
  private static final boolean ALL = "all".equals(System.getProperty("moe.allocations"));
  private static final int SOME = 6;
  private static final int LEAST = 100; // a run makes more

  @TempDir private Path directory;
  private final EmulatedWhereThereIsNone cuda = new EmulatedWhereThereIsNone();
  private int runs;

  @AfterEach
  void failNoMore() {
    System.clearProperty(FAIL);
  }

  @Test
  void endsInATypedErrorAndLeavesNothingOpen() throws IOException {
    assumeTrue(cuda.probe() instanceof Availability.Available, "no GPU and no emulation");
    TinyModel model = TinyModel.in(directory, cuda, (char) 0);
    EngineRun before = run(model);
    assertThat(cuda.leftOpen()).isZero();
    int tried = 0;
    if (ALL) {
      while (fails(model, tried + 1, "")) {
        tried++;
      }
      System.err.printf("RunWithoutRoomTest: cuda, each of %d allocations%n", tried);
      assertThat(tried).isGreaterThanOrEqualTo(LEAST);
    } else {
      long seed = Long.getLong("moe.seed", System.nanoTime());
      SplittableRandom random = new SplittableRandom(seed);
      for (; tried < SOME; tried++) {
        String repeat = "-Dmoe.seed=" + seed;
        assertThat(fails(model, 1 + random.nextInt(LEAST), repeat)).as(repeat).isTrue();
      }
    }
    System.clearProperty(FAIL);
    assertThat(run(model).losses()).isEqualTo(before.losses());
  }

  private boolean fails(TinyModel model, int allocation, String repeat) {
    System.setProperty(FAIL, Integer.toString(allocation));
    MoeException refusal = catchThrowableOfType(MoeException.class, () -> run(model));
    assertThat(cuda.leftOpen()).as("allocation %d, %s", allocation, repeat).isZero();
    if (refusal == null) {
      return false;
    }
    assertThat(refusal.kind().exitCode()).as("%d, %s", allocation, repeat).isEqualTo(4);
    assertThat(refusal).as(repeat).hasMessageContaining("cuda: no room ");
    return true;
  }

  private EngineRun run(TinyModel model) {
    runs++;
    return model.run(cuda, "cuda", directory.resolve("run-" + runs), "run.batches=1");
  }
}
