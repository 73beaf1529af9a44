package moe.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Objects;
import moe.engine.checkpoint.Checkpoint;
import moe.engine.config.BlockPath;
import moe.engine.model.Gpt2;
import moe.engine.model.Gpt2Pass;
import moe.engine.model.ModelOptions;
import moe.engine.plugin.PluginRegistry;
import moe.engine.wiring.BackendRequest;
import moe.engine.wiring.BackendSelection;
import moe.engine.wiring.StageRequest;
import moe.engine.wiring.StageSelection;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/// Opening, running and closing on OpenCL leaves nothing behind: `-Dmoe.cycles.opencl=500` for
/// more. The CPU backend has the same test in the engine, and more cycles: here the driver loads
/// all kernels anew in each, which takes it about a second.
@EnabledOnOs(OS.LINUX)
final class OpenAndCloseTest {
  private static final Path MODEL =
      Path.of("..", "core", "src", "test", "resources", "fixtures", "gpt2moe-tiny");

  private static final int CYCLES = Integer.getInteger("moe.cycles.opencl", 8);
  private static final int WARM_UP = 2;

  private static final PluginRegistry REGISTRY = PluginRegistry.load((Path) null);

  @AfterAll
  static void close() {
    REGISTRY.close();
  }

  @Test
  void leavesNothingBehind() {
    for (int i = 0; i < WARM_UP; i++) {
      cycle();
    }
    Left before = Left.settled(Left.now());
    for (int i = 0; i < CYCLES; i++) {
      cycle();
    }
    Left after = Left.settled(before);
    assertThat(after.isWithin(before))
        .as("%s after %d cycles, %s before", after, CYCLES, before)
        .isTrue();
  }

  private static void cycle() {
    try (BackendSelection opencl = BackendSelection.open(REGISTRY, BackendRequest.only("opencl"))) {
      try (Checkpoint checkpoint = Checkpoint.open(MODEL);
          Gpt2 model = model(opencl, checkpoint);
          Gpt2Pass pass = model.trainingPass(1, 8)) {
        pass.load(new int[] {1, 2, 3, 4, 5, 6, 7, 8}, 0);
        pass.forward();
        pass.backward();
        assertThat(pass.loss()).isPositive();
      }
      assertThat(opencl.backend().memory().allocatedBytes()).isZero();
    }
  }

  private static Gpt2 model(BackendSelection opencl, Checkpoint checkpoint) {
    ModelOptions options = ModelOptions.training(8);
    StageSelection stages =
        StageSelection.choose(
            REGISTRY,
            StageRequest.STANDARD.on(BlockPath.AUTO),
            Objects.requireNonNull(Gpt2.blockSpec(checkpoint.spec(), options)),
            opencl.backend());
    return Gpt2.create(opencl.backend(), checkpoint.spec(), stages, checkpoint, options);
  }
}
