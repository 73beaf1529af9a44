package moe.backend.tests;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import moe.spi.device.AttentionShape;
import moe.spi.device.KvCache;
import moe.spi.device.Shape;
import moe.spi.device.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Attention against a reference in double precision; lengths around the blocks of 32 queries and
/// 64 keys.
public abstract class AttentionContract implements Place {
  @ParameterizedTest
  @CsvSource({
    "MAIN, 0, 3, 1, 5", "MAIN, 2, 0, 1, 5", "MAIN, 1, 1, 2, 5", "MAIN, 2, 31, 2, 13",
    "MAIN, 1, 33, 1, 16", "MAIN, 1, 64, 1, 8", "MAIN, 1, 65, 2, 4", "MAIN, 1, 97, 1, 3",
    "OTHER, 0, 3, 1, 5", "OTHER, 2, 31, 2, 13", "OTHER, 1, 65, 2, 4", "OTHER, 1, 97, 1, 3"
  })
  void attendsAndDifferentiates(Way way, int batch, int seqLength, int heads, int headSize) {
    var shape = new AttentionShape(batch, seqLength, heads, headSize);
    try (Workplace at = open(way)) {
      var qkv = at.random(shape.tokens(), 3L * shape.dModel());
      var out = at.garbage(shape.tokens(), shape.dModel());
      var logSumExp = at.garbage(batch, heads, seqLength);
      at.ops.attention(qkv, shape, out, logSumExp, at.stream);
      at.assertClose("out", out, attention(at.numbers(qkv), shape), Close.SUMS);

      var dOut = at.random(shape.tokens(), shape.dModel());
      var dQkv = at.garbage(shape.tokens(), 3L * shape.dModel());
      at.ops.attentionBackward(dOut, qkv, out, logSumExp, shape, dQkv, at.stream);
      double[] expected =
          Numeric.gradient(v -> attention(v, shape), at.numbers(qkv), at.numbers(dOut));
      at.assertClose("dQkv", dQkv, expected, Close.SUMS);

      var again = at.garbage(shape.tokens(), shape.dModel());
      at.ops.attention(qkv, shape, again, null, at.stream);
      at.assertClose("out without logSumExp", again, at.numbers(out), 0);
    }
  }

  /// Each position in turn is NaN; those before it must not notice.
  @ParameterizedTest
  @CsvSource({"MAIN, 1, 9", "MAIN, 3, 64", "MAIN, 97, 5", "MAIN, 70, 24", "OTHER, 70, 3"})
  void hidesLaterPositionsThatAreNaN(Way way, int seqLength, int headSize) {
    var shape = new AttentionShape(1, seqLength, 1, headSize);
    try (Workplace at = open(way)) {
      var qkv = at.random(seqLength, 3L * headSize);
      double[] expected = attention(at.numbers(qkv), shape);
      double[] nan = new double[3 * headSize];
      Arrays.fill(nan, Double.NaN);
      for (int row = seqLength - 1; row >= 0; row--) {
        at.fill(qkv.slice(row, row + 1), nan);
        var out = at.garbage(seqLength, headSize);
        at.ops.attention(qkv, shape, out, null, at.stream);
        int seen = row * headSize;
        Close.assertClose(
            "out, NaN from " + row,
            Arrays.copyOf(at.numbers(out), seen),
            Arrays.copyOf(expected, seen),
            Close.SUMS);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"MAIN, 2, 3, 64", "MAIN, 1, 1, 5", "OTHER, 2, 2, 13"})
  void decodesFromACacheAsIfAllPositionsWereNew(Way way, int batch, int heads, int headSize) {
    int prompt = 7;
    int seqLength = 12;
    int maxLength = 15;
    var shape = new AttentionShape(batch, seqLength, heads, headSize);
    try (Workplace at = open(way)) {
      var qkv = at.random(shape.tokens(), 3L * shape.dModel());
      double[] expected = attention(at.numbers(qkv), shape);
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
        at.assertClose(
            "out from " + steps[i - 1],
            partOut,
            at.numbers(positions(at, wanted, shape, steps[i - 1], length, shape.dModel())),
            Close.SUMS);
      }
    }
  }

  @Test
  void refusesToGrowBeyondTheCache() {
    var shape = new AttentionShape(1, 1, 1, 4);
    try (Workplace at = open(Way.MAIN)) {
      var cache = new KvCache(at.zeros(1, 1, 8, 4), at.zeros(1, 1, 8, 4));
      assertThatThrownBy(() ->
              at.ops.attentionCached(at.zeros(1, 12), cache, 8, shape, at.zeros(1, 4), at.stream))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage(
              "attentionCached: position is 8, must leave room for the new positions in a cache of"
                  + " length = 8");
    }
  }

  private static Tensor positions(
      Workplace at, Tensor all, AttentionShape shape, int from, int length, int width) {
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
