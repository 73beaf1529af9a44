package moe.backend.cuda;

import static moe.backend.cuda.Twins.SUMS;

import moe.backend.cuda.Twins.Twin;
import moe.spi.device.AttentionShape;
import moe.spi.device.KvCache;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Attention beside the CPU backend's, around the kernels' tiles of 32 keys.
class AttentionTest {
  @ParameterizedTest
  @CsvSource({"2, 31, 2, 13", "1, 33, 1, 16", "2, 65, 2, 64", "1, 40, 1, 100", "0, 3, 1, 5"})
  void attends(int batch, int seqLength, int heads, int headSize) {
    var shape = new AttentionShape(batch, seqLength, heads, headSize);
    try (Twins at = new Twins(37)) {
      Twin qkv = at.random(shape.tokens(), 3L * shape.dModel());
      Twin out = at.garbage(shape.tokens(), shape.dModel());
      Twin logSumExp = at.garbage(batch, heads, seqLength);
      Twin dOut = at.random(shape.tokens(), shape.dModel());
      Twin dQkv = at.garbage(shape.tokens(), 3L * shape.dModel());
      at.both(s -> {
        s.ops.attention(s.of(qkv), shape, s.of(out), s.of(logSumExp), s.stream);
        s.ops.attentionBackward(
            s.of(dOut), s.of(qkv), s.of(out), s.of(logSumExp), shape, s.of(dQkv), s.stream);
      });
      at.assertClose("out", out, SUMS);
      at.assertClose("logSumExp", logSumExp, SUMS);
      at.assertClose("dQkv", dQkv, SUMS);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {5, 64})
  void attendsToACache(int headSize) {
    try (Twins at = new Twins(32)) {
      Twin keys = at.zeros(2, 3, 302, headSize);
      Twin values = at.zeros(2, 3, 302, headSize);
      int position = 0;
      for (int length : new int[] {1, 37, 2, 1, 260, 1}) {
        var shape = new AttentionShape(2, length, 3, headSize);
        Twin qkv = at.random(shape.tokens(), 3L * shape.dModel());
        Twin out = at.garbage(shape.tokens(), shape.dModel());
        int from = position;
        at.both(s ->
            s.ops.attentionCached(
                s.of(qkv),
                new KvCache(s.of(keys), s.of(values)),
                from,
                shape,
                s.of(out),
                s.stream));
        at.assertClose("out from " + from, out, SUMS);
        position += length;
      }
      at.assertClose("keys", keys, 0);
      at.assertClose("values", values, 0);
    }
  }
}
