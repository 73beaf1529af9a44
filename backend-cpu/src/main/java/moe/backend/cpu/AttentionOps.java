package moe.backend.cpu;

import moe.backend.cpu.kernel.Attention;
import moe.backend.cpu.kernel.AttentionBackward;
import moe.backend.cpu.kernel.AttentionCached;
import moe.backend.cpu.kernel.CpuThreads;
import moe.backend.cpu.kernel.Floats;
import moe.backend.cpu.kernel.InnerLoops;
import moe.spi.device.AttentionShape;
import moe.spi.device.KvCache;
import moe.spi.device.Tensor;
import org.jspecify.annotations.Nullable;

/// Causal self-attention, its gradient, and its form for decoding.
final class AttentionOps {
  private static final Operation FORWARD = new Operation("attention");
  private static final Operation BACKWARD = new Operation("attentionBackward");
  private static final Operation CACHED = new Operation("attentionCached");

  private final Attention forward;
  private final AttentionBackward backward;
  private final AttentionCached cached;

  AttentionOps(CpuThreads threads, InnerLoops loops) {
    forward = new Attention(threads, loops);
    backward = new AttentionBackward(threads, loops);
    cached = new AttentionCached(threads, loops);
  }

  void forward(Tensor qkv, AttentionShape shape, Tensor out, @Nullable Tensor logSumExp) {
    int tokens = shape.tokens();
    long width = shape.dModel();
    forward.run(
        FORWARD.matrix("qkv", qkv, tokens, 3 * width),
        shape,
        FORWARD.matrix("out", out, tokens, width),
        logSumExp == null
            ? null
            : FORWARD.floats("logSumExp", logSumExp, (long) tokens * shape.heads()));
  }

  void backward(
      Tensor dOut, Tensor qkv, Tensor out, Tensor logSumExp, AttentionShape shape, Tensor dQkv) {
    int tokens = shape.tokens();
    long width = shape.dModel();
    backward
        .forward(
            BACKWARD.matrix("qkv", qkv, tokens, 3 * width),
            shape,
            BACKWARD.matrix("out", out, tokens, width),
            BACKWARD.floats("logSumExp", logSumExp, (long) tokens * shape.heads()))
        .run(
            BACKWARD.matrix("dOut", dOut, tokens, width),
            BACKWARD.matrix("dQkv", dQkv, tokens, 3 * width));
  }

  void cached(Tensor qkv, KvCache cache, int position, AttentionShape shape, Tensor out) {
    int tokens = shape.tokens();
    long width = shape.dModel();
    long heads = (long) shape.batch() * shape.heads();
    long headElements = heads * shape.headSize();
    long maxLength = headElements == 0 ? 0 : cache.keys().shape().elements() / headElements;
    CACHED.require(
        position >= 0 && (heads == 0 || (long) position + shape.seqLength() <= maxLength),
        "position",
        position,
        "must leave room for the new positions in a cache of length",
        maxLength);
    Floats rows = CACHED.matrix("qkv", qkv, tokens, 3 * width);
    Floats attended = CACHED.matrix("out", out, tokens, width);
    cached.cache(
        CACHED.matrix("cache.keys", cache.keys(), heads * maxLength, shape.headSize()),
        CACHED.matrix("cache.values", cache.values(), heads * maxLength, shape.headSize()),
        (int) maxLength);
    if (position == 0 && shape.seqLength() > 1) {
      // A prompt attends to itself alone, which is faster in blocks.
      cached.append(rows, shape, 0);
      forward.run(rows, shape, attended, null);
    } else {
      cached.run(rows, shape, position, attended);
    }
  }
}
