package moe.backend.cuda;

import moe.backend.cuda.Twins.Twin;
import moe.spi.device.Compute;
import moe.spi.device.LinearWeights;
import moe.spi.device.Shape;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// A head with its loss in bf16 beside the CPU's in float32.
class HalfHeadTest {
  // Both sides start from numbers of bf16; the logits' gradient is rounded to 8 bits. Measured up
  // to 1.7e-3.
  private static final double HALF = 6e-3;

  @ParameterizedTest
  @CsvSource({"9, 16, 8", "40, 64, 1003", "33, 72, 4100", "130, 8, 5", "6, 16, 40", "20, 30, 37"})
  void findsLossAndGradients(int rows, int in, int vocab) {
    try (Twins at = new Twins(32, Compute.BF16)) {
      at.roundRandoms();
      Twin x = at.random(rows, in);
      Twin weight = at.random(vocab, in);
      int[] chosen = new int[rows];
      for (int i = 0; i < rows; i++) {
        chosen[i] = i % 5 == 3 ? -1 : i * 31 % vocab;
      }
      Twin targets = at.ints(Shape.of(rows), chosen);
      Twin losses = at.garbage(rows);
      Twin logits = at.garbage(rows, vocab);
      Twin dX = at.garbage(rows, in);
      Twin dWeight = at.random(vocab, in);
      at.both(s ->
          s.ops.linearCrossEntropy(
              s.of(x),
              new LinearWeights(s.of(weight), null),
              s.of(targets),
              s.of(losses),
              0.25f,
              s.of(logits),
              s.of(dX),
              new LinearWeights(s.of(dWeight), null),
              s.stream));
      at.assertClose("losses", losses, HALF);
      at.assertClose("dX", dX, HALF);
      at.assertClose("dWeight", dWeight, HALF);
    }
  }
}
