package moe.backend.cuda;

import moe.backend.cuda.Twins.Twin;
import moe.spi.device.Compute;
import moe.spi.device.LinearWeights;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Products whose long sums are taken in parts, beside the CPU's.
class PartsTest {
  // Exact products of bf16, sums on tensor cores: measured 2.2e-6 on an H200, times 4.
  private static final double TENSOR_SUMS = 1e-5;

  @ParameterizedTest
  @CsvSource({"F32, 530, 130, 13", "F32, 256, 8, 1", "BF16, 40, 64, 4100", "BF16, 300, 72, 8"})
  void addsUpGradients(Compute compute, int rows, int in, int out) {
    try (Twins at = new Twins(32, compute)) {
      at.roundRandoms();
      Twin x = at.random(rows, in);
      Twin weight = at.random(out, in);
      Twin dY = at.random(rows, out);
      Twin dX = at.garbage(rows, in);
      Twin dWeight = at.random(out, in);
      at.both(s ->
          s.ops.linearBackward(
              s.of(dY),
              s.of(x),
              new LinearWeights(s.of(weight), null),
              s.of(dX),
              new LinearWeights(s.of(dWeight), null),
              s.stream));
      double tolerance = compute == Compute.BF16 ? TENSOR_SUMS : Twins.SUMS;
      at.assertClose("dX", dX, tolerance);
      at.assertClose("dWeight", dWeight, tolerance);
    }
  }
}
