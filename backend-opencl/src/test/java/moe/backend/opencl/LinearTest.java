package moe.backend.opencl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import moe.backend.tests.LinearContract;
import moe.backend.tests.Workplace;
import moe.spi.device.Activation;
import moe.spi.device.LinearWeights;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import org.junit.jupiter.api.Test;

/// Linear layers.
class LinearTest extends LinearContract implements OpenClPlace {
  @Test
  void packsInPartsWhatItsMemoryDoesNotHold() {
    // 1 MiB of memory: 4096 floats of it for packed rows, which is 64 rows forward, 80 backward
    try (OpenClBackend small = Devices.PROCESSOR.open(Devices.driver(), 1 << 20);
        Workplace at = OpenClPlace.open(small)) {
      multiplyAndDifferentiate(at, 150, 64, 48);
      var weights = new LinearWeights(at.zeros(2, 300), null);
      assertThatThrownBy(() ->
              at.ops.linear(at.zeros(1, 300), weights, Activation.NONE, at.zeros(1, 2), at.stream))
          .isInstanceOfSatisfying(
              MoeException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.UNSUPPORTED))
          .hasMessageStartingWith(
              "opencl: a row of 300 features is too long to be packed (at most 256).");
    }
  }
}
