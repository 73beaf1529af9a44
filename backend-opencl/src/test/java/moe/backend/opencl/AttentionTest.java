package moe.backend.opencl;

import static moe.backend.opencl.Close.assertClose;
import static moe.backend.opencl.Workplace.numbers;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import moe.spi.device.AttentionShape;
import moe.spi.device.KvCache;
import moe.spi.device.Shape;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Attention against a reference in double precision; lengths around the blocks of 32 queries and
/// 64 keys.
class AttentionTest {
  @ParameterizedTest
  @CsvSource({
    "PROCESSOR, 0, 3, 1, 5", "PROCESSOR, 2, 0, 1, 5", "PROCESSOR, 1, 1, 2, 5",
        "PROCESSOR, 2, 31, 2, 13",
    "PROCESSOR, 1, 33, 1, 16", "PROCESSOR, 1, 64, 1, 8", "PROCESSOR, 1, 65, 2, 4",
        "PROCESSOR, 1, 97, 1, 3",
    "GPU, 0, 3, 1, 5", "GPU, 2, 31, 2, 13", "GPU, 1, 65, 2, 4", "GPU, 1, 97, 1, 3"
  })
  void attendsAndDifferentiates(
      Devices devices, int batch, int seqLength, int heads, int headSize) {
    var shape = new AttentionShape(batch, seqLength, heads, headSize);
    try (Workplace at = new Workplace(devices)) {
      var qkv = at.random(shape.tokens(), 3L * shape.dModel());
      var out = at.garbage(shape.tokens(), shape.dModel());
      var logSumExp = at.garbage(batch, heads, seqLength);
      at.ops.attention(qkv, shape, out, logSumExp, at.stream);
      assertClose("out", out, attention(numbers(qkv), shape), Close.SUMS);

      var dOut = at.random(shape.tokens(), shape.dModel());
      var dQkv = at.garbage(shape.tokens(), 3L * shape.dModel());
      at.ops.attentionBackward(dOut, qkv, out, logSumExp, shape, dQkv, at.stream);
      double[] expected = Numeric.gradient(v -> attention(v, shape), numbers(qkv), numbers(dOut));
      assertClose("dQkv", dQkv, expected, Close.SUMS);

      var again = at.garbage(shape.tokens(), shape.dModel());
      at.ops.attention(qkv, shape, again, null, at.stream);
      assertClose("out without logSumExp", again, numbers(out), 0);
    }
  }

  @ParameterizedTest
  @CsvSource({"PROCESSOR, 2, 3, 64", "PROCESSOR, 1, 1, 5", "GPU, 2, 2, 13"})
  void decodesFromACacheAsIfAllPositionsWereNew(
      Devices devices, int batch, int heads, int headSize) {
    int prompt = 7;
    int seqLength = 12;
    int maxLength = 15;
    var shape = new AttentionShape(batch, seqLength, heads, headSize);
    try (Workplace at = new Workplace(devices)) {
      var qkv = at.random(shape.tokens(), 3L * shape.dModel());
      double[] expected = attention(numbers(qkv), shape);
      var cache =
          new KvCache(
              at.zeros(batch, heads, maxLength, headSize),
              at.zeros(batch, heads, maxLength, headSize));
      // A prompt, then two positions at once, then one by one.
      int[] steps = {0, prompt, prompt + 2, prompt + 3, prompt + 4, seqLength};
      for (int i = 1; i < steps.length; i++) {
        int length = steps[i] - steps[i - 1];
        var part = new AttentionShape(batch, length, heads, headSize);
        var partQkv = positions(at, qkv, shape, steps[i - 1], length, 3 * shape.dModel());
        var partOut = at.garbage(part.tokens(), shape.dModel());
        at.ops.attentionCached(partQkv, cache, steps[i - 1], part, partOut, at.stream);
        var wanted = at.floats(expected).view(0, Shape.of(shape.tokens(), shape.dModel()));
        assertClose(
            "out from " + steps[i - 1],
            partOut,
            numbers(positions(at, wanted, shape, steps[i - 1], length, shape.dModel())),
            Close.SUMS);
      }
    }
  }

  @Test
  void refusesToGrowBeyondTheCache() {
    var shape = new AttentionShape(1, 1, 1, 4);
    try (Workplace at = new Workplace(Devices.PROCESSOR)) {
      var cache = new KvCache(at.zeros(1, 1, 8, 4), at.zeros(1, 1, 8, 4));
      assertThatThrownBy(() ->
              at.ops.attentionCached(at.zeros(1, 12), cache, 8, shape, at.zeros(1, 4), at.stream))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage(
              "attentionCached: position is 8, must leave room for the new positions in a cache of"
                  + " length = 8");
    }
  }

  private static OpenClTensor positions(
      Workplace at, OpenClTensor all, AttentionShape shape, int from, int length, int width) {
    var part = at.zeros((long) shape.batch() * length, width);
    for (int b = 0; b < shape.batch(); b++) {
      int row = b * shape.seqLength() + from;
      at.stream.copy(
          all.slice(row, row + length), part.slice((long) b * length, (long) (b + 1) * length));
    }
    return part;
  }

  private static double[] attention(double[] qkv, AttentionShape shape) {
    int dModel = shape.dModel();
    double[] out = new double[shape.tokens() * dModel];
    for (int b = 0; b < shape.batch(); b++) {
      for (int h = 0; h < shape.heads(); h++) {
        for (int t = 0; t < shape.seqLength(); t++) {
          attend(qkv, shape, b * shape.seqLength(), h * shape.headSize(), t, out);
        }
      }
    }
    return out;
  }

  private static void attend(
      double[] qkv, AttentionShape shape, int firstRow, int column, int t, double[] out) {
    int dModel = shape.dModel();
    double[] p = new double[t + 1];
    double sum = 0;
    for (int j = 0; j <= t; j++) {
      double score = 0;
      for (int d = 0; d < shape.headSize(); d++) {
        score +=
            qkv[(firstRow + t) * 3 * dModel + column + d]
                * qkv[(firstRow + j) * 3 * dModel + dModel + column + d];
      }
      p[j] = Math.exp(score / Math.sqrt(shape.headSize()));
      sum += p[j];
    }
    for (int j = 0; j <= t; j++) {
      for (int d = 0; d < shape.headSize(); d++) {
        out[(firstRow + t) * dModel + column + d] +=
            p[j] / sum * qkv[(firstRow + j) * 3 * dModel + 2 * dModel + column + d];
      }
    }
  }
}
