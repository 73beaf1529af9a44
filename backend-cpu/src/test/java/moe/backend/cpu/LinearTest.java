package moe.backend.cpu;

import moe.backend.tests.Close;
import moe.backend.tests.LinearContract;
import moe.backend.tests.Way;
import moe.backend.tests.Workplace;
import moe.spi.device.Activation;
import moe.spi.device.LinearWeights;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Linear layers, also with weights in half the bytes.
class LinearTest extends LinearContract implements CpuPlace {
  @ParameterizedTest
  @EnumSource
  void storesWeightsInHalfTheBytes(Way way) {
    for (int rows : new int[] {1, 33}) {
      try (Workplace at = open(way)) {
        var x = at.random(rows, 130);
        var stored = at.rounded(at.random(33, 130));
        var y = at.garbage(rows, 33);
        at.ops.linear(x, new LinearWeights(stored, null), Activation.NONE, y, at.stream);
        double[] expected =
            product(at.numbers(x), at.numbers(stored), rows, 130, 33, new double[33]);
        at.assertClose("y", y, expected, Close.SUMS);
      }
    }
  }
}
