package moe.conformance.rule;

import static moe.conformance.trial.Feature.backward;
import static moe.conformance.trial.Feature.forward;

import java.util.Arrays;
import java.util.List;
import moe.conformance.reference.Bounded;
import moe.conformance.reference.SelfAttention;
import moe.conformance.trial.Draw;
import moe.conformance.trial.Workbench;
import moe.spi.device.AttentionShape;
import moe.spi.device.KvCache;
import moe.spi.device.Tensor;

/// Self-attention, its gradient, and its form for decoding.
final class AttentionRules {
  /// Batch, positions, heads, size of a head.
  static final int[][] ATTENTION_SIZES = {
    {0, 3, 2, 4}, {1, 1, 1, 1}, {2, 31, 2, 5}, {1, 33, 3, 32}, {3, 32, 1, 8}, {1, 65, 2, 16}
  };

  private AttentionRules() {}

  static List<Rule> all() {
    return List.of(
        Rule.must(
            "DENSE-7",
            "attention is causal, separate for each batch and head, scaled by 1/√headSize, and"
                + " writes the logarithm of each row's sum if asked.",
            "the mask of the first and last position, and the layout [heads, headSize].",
            AttentionRules::attention),
        Rule.must(
            "DENSE-8",
            "attentionCached, fed in any pieces, gives what attention gives for the whole, and"
                + " writes the cache nowhere but at the new positions.",
            "where new keys go, and the strides of [batch, heads, maxLength, headSize].",
            AttentionRules::cached),
        Rule.must(
            "GRAD-5",
            "attentionBackward gives the gradients of queries, keys and values, and overwrites what"
                + " was there.",
            "the sum over later positions in the gradients of keys and values.",
            AttentionRules::backwardPass));
  }

  private static void attention(Workbench at) {
    for (int[] size : ATTENTION_SIZES) {
      AttentionShape shape = new AttentionShape(size[0], size[1], size[2], size[3]);
      at.trial(
          forward("attention"),
          label(shape),
          () -> {
            int tokens = shape.tokens();
            double[] values = new Draw(11).normal(tokens * 3 * shape.dModel());
            SelfAttention expected = new SelfAttention(values, shape);
            Tensor qkv = at.floats("qkv", values, tokens, 3L * shape.dModel());
            Tensor out = at.output("out", tokens, shape.dModel());
            Tensor sums = at.output("logSumExp", size[0], size[2], size[1]);
            at.dense().attention(qkv, shape, out, sums, at.stream());
            at.compare("out", out, expected.forward());
            at.compare("logSumExp", sums, expected.logSumExp());
            Tensor inference = at.output("out without logSumExp", tokens, shape.dModel());
            at.dense().attention(qkv, shape, inference, null, at.stream());
            at.compare("out without logSumExp", inference, expected.forward());
          });
    }
  }

  static String label(AttentionShape shape) {
    return "batch %d, seqLength %d, heads %d, headSize %d"
        .formatted(shape.batch(), shape.seqLength(), shape.heads(), shape.headSize());
  }

  private static void cached(Workbench at) {
    for (int[] pieces : new int[][] {{1, 1, 1}, {31, 1, 1}, {5, 4, 3}, {33}}) {
      at.trial(
          forward("attentionCached"),
          "pieces of %s positions".formatted(List.of(box(pieces))),
          () -> cached(at, pieces));
    }
  }

  private static void cached(Workbench at, int[] pieces) {
    int batch = 2;
    int heads = 2;
    int headSize = 5;
    int length = Arrays.stream(pieces).sum();
    int maxLength = length + 3;
    AttentionShape whole = new AttentionShape(batch, length, heads, headSize);
    int width = whole.dModel();
    double[] values = new Draw(12).normal(batch * length * 3 * width);
    double[] right = new SelfAttention(values, whole).forward().values();
    double[] sizes = new SelfAttention(values, whole).forward().magnitudes();
    double[] keys = new Draw(13).normal(batch * heads * maxLength * headSize);
    KvCache cache =
        new KvCache(
            at.accumulator("keys", keys, batch, heads, maxLength, headSize),
            at.accumulator("values", keys, batch, heads, maxLength, headSize));
    int position = 0;
    for (int piece : pieces) {
      double[] part = new double[batch * piece * 3 * width];
      double[] expected = new double[batch * piece * width];
      double[] magnitudes = new double[expected.length];
      for (int b = 0; b < batch; b++) {
        int from = b * length + position;
        System.arraycopy(values, from * 3 * width, part, b * piece * 3 * width, piece * 3 * width);
        System.arraycopy(right, from * width, expected, b * piece * width, piece * width);
        System.arraycopy(sizes, from * width, magnitudes, b * piece * width, piece * width);
      }
      AttentionShape shape = new AttentionShape(batch, piece, heads, headSize);
      Tensor out = at.output("out from " + position, (long) batch * piece, width);
      Tensor qkv = at.floats("qkv", part, (long) batch * piece, 3L * width);
      at.dense().attentionCached(qkv, cache, position, shape, out, at.stream());
      at.compare("out from " + position, out, new Bounded(expected, magnitudes));
      position += piece;
    }
    at.compareExactly("keys", cache.keys(), filled(keys, values, length, maxLength, 1));
    at.compareExactly("values", cache.values(), filled(keys, values, length, maxLength, 2));
  }

  // What a cache of 2 sequences, 2 heads of 5, holds in the end.
  private static double[] filled(
      double[] before, double[] qkv, int length, int maxLength, int part) {
    double[] cache = before.clone();
    for (int row = 0; row < 2 * length; row++) {
      for (int head = 0; head < 2; head++) {
        int to = ((row / length * 2 + head) * maxLength + row % length) * 5;
        System.arraycopy(qkv, row * 30 + part * 10 + head * 5, cache, to, 5);
      }
    }
    return cache;
  }

  private static Integer[] box(int[] values) {
    return Arrays.stream(values).boxed().toArray(Integer[]::new);
  }

  private static void backwardPass(Workbench at) {
    for (int[] size : ATTENTION_SIZES) {
      AttentionShape shape = new AttentionShape(size[0], size[1], size[2], size[3]);
      at.trial(
          backward("attention"),
          label(shape),
          () -> {
            int tokens = shape.tokens();
            int width = shape.dModel();
            Draw draw = new Draw(17);
            double[] values = draw.normal(tokens * 3 * width);
            double[] gradient = draw.normal(tokens * width);
            Tensor qkv = at.floats("qkv", values, tokens, 3L * width);
            Tensor out = at.output("out", tokens, width);
            Tensor sums = at.output("logSumExp", size[0], size[2], size[1]);
            at.dense().attention(qkv, shape, out, sums, at.stream());
            Tensor dQkv = at.output("dQkv", tokens, 3L * width);
            Tensor dOut = at.floats("dOut", gradient, tokens, width);
            at.dense().attentionBackward(dOut, qkv, out, sums, shape, dQkv, at.stream());
            at.compare("dQkv", dQkv, new SelfAttention(values, shape).backward(gradient));
          });
    }
  }
}
