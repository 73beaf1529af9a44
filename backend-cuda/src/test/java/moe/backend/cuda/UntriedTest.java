package moe.backend.cuda;

import moe.backend.cuda.Twins.Twin;
import moe.spi.device.AttentionShape;
import moe.spi.device.Compute;
import moe.spi.device.LinearWeights;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What has not run on a GPU yet and is off unless asked for, beside the CPU.
class UntriedTest {
  // Both sides start from numbers of bf16; weights and slopes of attention are rounded to 8 bits:
  // measured up to 3e-3.
  private static final double HALF = 6e-3;

  // Exact products; tensor cores cut off what does not fit their sums. Not measured yet.
  private static final double TENSOR_SUMS = 1e-4;

  @BeforeEach
  void ask() {
    System.setProperty(CudaBackend.UNTRIED, "true");
  }

  @AfterEach
  void forget() {
    System.clearProperty(CudaBackend.UNTRIED);
  }

  @ParameterizedTest
  @CsvSource({"1, 1, 2, 64", "2, 31, 3, 64", "1, 130, 2, 64", "1, 300, 1, 32", "2, 70, 1, 20"})
  void attendsInHalfPrecision(int batch, int length, int heads, int headSize) {
    try (Twins at = new Twins(32, Compute.BF16)) {
      at.roundRandoms();
      var shape = new AttentionShape(batch, length, heads, headSize);
      Twin qkv = at.random(shape.tokens(), 3L * shape.dModel());
      Twin out = at.garbage(shape.tokens(), shape.dModel());
      Twin logSumExp = at.garbage(batch, heads, length);
      Twin dOut = at.random(shape.tokens(), shape.dModel());
      Twin dQkv = at.garbage(shape.tokens(), 3L * shape.dModel());
      at.both(s -> {
        s.ops.attention(s.of(qkv), shape, s.of(out), s.of(logSumExp), s.stream);
        s.ops.attentionBackward(
            s.of(dOut), s.of(qkv), s.of(out), s.of(logSumExp), shape, s.of(dQkv), s.stream);
      });
      at.assertClose("out", out, HALF);
      at.assertClose("logSumExp", logSumExp, HALF);
      at.assertClose("dQkv", dQkv, HALF);
    }
  }

  @ParameterizedTest
  @CsvSource({"F32, 530, 130, 13", "F32, 256, 8, 1", "BF16, 40, 64, 4100", "BF16, 300, 72, 8"})
  void addsUpGradientsInParts(Compute compute, int rows, int in, int out) {
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
