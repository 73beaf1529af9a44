package moe.engine.reliability;

import static org.assertj.core.api.Assertions.assertThat;

import moe.backend.cpu.CpuBackendFactory;
import moe.engine.config.BlockPath;
import moe.spi.device.Backend;
import moe.spi.device.DeviceInfo;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Each allocation of a training step in turn finds no room; the same backend then trains as if
/// nothing had been.
final class FailingAllocationTest {
  private static final String FAIL = "moe.fail.allocation";
  private static final String TRACE = "moe.trace.allocations";

  @BeforeEach
  void trace() {
    System.setProperty(TRACE, "true");
  }

  @AfterEach
  void dontTrace() {
    System.clearProperty(TRACE);
    System.clearProperty(FAIL);
  }

  @ParameterizedTest
  @EnumSource(names = {"FUSED", "STAGED", "BASELINE"})
  void givesATypedErrorLeaksNothingAndLeavesTheBackendUsable(BlockPath path) {
    try (TinyTraining.Stages stages = new TinyTraining.Stages()) {
      double[] undisturbed;
      try (Backend backend = open()) {
        undisturbed = TinyTraining.losses(backend, stages, path, 1, 1);
      }
      int allocation = 1;
      while (refuses(allocation, path, stages, undisturbed)) {
        allocation++;
      }
      assertThat(allocation).as("how many there are").isGreaterThan(80);
    }
  }

  /// @return false if there is no such allocation
  private static boolean refuses(
      int allocation, BlockPath path, TinyTraining.Stages stages, double[] undisturbed) {
    System.setProperty(FAIL, Integer.toString(allocation));
    try (Backend backend = open()) {
      try {
        TinyTraining.losses(backend, stages, path, 1, 1);
        return false;
      } catch (MoeException full) {
        assertThat(full.kind()).as(full.getMessage()).isEqualTo(ErrorKind.MEMORY);
      }
      assertThat(backend.openAllocations()).as("after allocation %d", allocation).isEmpty();
      assertThat(backend.memory().allocatedBytes()).as("allocation %d", allocation).isZero();
      assertThat(TinyTraining.losses(backend, stages, path, 1, 1)).isEqualTo(undisturbed);
      return true;
    }
  }

  private static Backend open() {
    return new CpuBackendFactory().open(new DeviceInfo("cpu", 0, "refuses one", 1 << 30));
  }
}
