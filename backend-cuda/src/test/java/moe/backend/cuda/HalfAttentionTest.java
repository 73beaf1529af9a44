package moe.backend.cuda;

import moe.backend.cuda.Twins.Twin;
import moe.spi.device.AttentionShape;
import moe.spi.device.Compute;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Attention in bf16 beside the CPU's in float32.
class HalfAttentionTest {
  // Both sides start from numbers of bf16; weights and slopes are rounded to 8 bits. Measured on an
  // H200: out 1.2e-3, dQkv 1.7e-3, times 3.5.
  private static final double HALF = 6e-3;

  @ParameterizedTest
  @CsvSource({
    "1, 1, 2, 64",
    "2, 31, 3, 64",
    "1, 130, 2, 64",
    "1, 300, 1, 32",
    "2, 70, 1, 24",
    "1, 9, 2, 20"
  })
  void attends(int batch, int length, int heads, int headSize) {
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
}
