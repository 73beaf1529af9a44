package moe.backend.opencl;

import moe.backend.opencl.kernel.ClKernel;
import moe.backend.opencl.kernel.Kernels;
import moe.backend.opencl.kernel.Region;
import moe.backend.opencl.kernel.WorkQueue;
import moe.spi.device.AttentionShape;
import moe.spi.device.KvCache;
import moe.spi.device.Tensor;
import org.jspecify.annotations.Nullable;

/// Causal self-attention, its gradient, and its form for decoding.
final class AttentionOps {
  private static final Operation FORWARD = new Operation("attention");
  private static final Operation BACKWARD = new Operation("attentionBackward");
  private static final Operation CACHED = new Operation("attentionCached");

  private final WorkQueue queue;
  private final ClKernel forward;
  private final ClKernel queries;
  private final ClKernel keys;
  private final ClKernel append;
  private final ClKernel cached;

  AttentionOps(Kernels kernels, WorkQueue queue) {
    this.queue = queue;
    forward = kernels.kernel("attention", "attention");
    queries = kernels.kernel("attention", "backward_queries");
    keys = kernels.kernel("attention", "backward_keys");
    append = kernels.kernel("attention", "append");
    cached = kernels.kernel("attention", "attention_cached");
  }

  void forward(Tensor qkv, AttentionShape shape, Tensor out, @Nullable Tensor logSumExp) {
    int tokens = shape.tokens();
    long width = shape.dModel();
    forward.begin().region(FORWARD.matrix("qkv", qkv, tokens, 3 * width));
    extents(forward, shape)
        .region(FORWARD.matrix("out", out, tokens, width))
        .region(FORWARD.optional("logSumExp", logSumExp, rows(shape)))
        .rows(queue, rows(shape));
  }

  void backward(
      Tensor dOut, Tensor qkv, Tensor out, Tensor logSumExp, AttentionShape shape, Tensor dQkv) {
    int tokens = shape.tokens();
    long width = shape.dModel();
    Region dRows = BACKWARD.matrix("dOut", dOut, tokens, width);
    Region inputs = BACKWARD.matrix("qkv", qkv, tokens, 3 * width);
    Region outputs = BACKWARD.matrix("out", out, tokens, width);
    Region logSums = BACKWARD.floats("logSumExp", logSumExp, rows(shape));
    Region dInputs = BACKWARD.matrix("dQkv", dQkv, tokens, 3 * width);
    queries.begin().region(dRows).region(inputs).region(outputs).region(logSums);
    extents(queries, shape).region(dInputs).rows(queue, rows(shape));
    keys.begin().region(dRows).region(inputs).region(outputs).region(logSums);
    extents(keys, shape).region(dInputs).rows(queue, rows(shape));
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
    Region inputs = CACHED.matrix("qkv", qkv, tokens, 3 * width);
    Region cachedKeys =
        CACHED.matrix("cache.keys", cache.keys(), heads * maxLength, shape.headSize());
    Region cachedValues =
        CACHED.matrix("cache.values", cache.values(), heads * maxLength, shape.headSize());
    Region outputs = CACHED.matrix("out", out, tokens, width);
    append
        .begin()
        .region(inputs)
        .region(cachedKeys)
        .region(cachedValues)
        .whole(position)
        .whole((int) maxLength)
        .whole(shape.seqLength())
        .whole(shape.heads())
        .whole(shape.headSize())
        .rows(queue, rows(shape));
    cached
        .begin()
        .region(inputs)
        .region(cachedKeys)
        .region(cachedValues)
        .whole(position)
        .whole((int) maxLength);
    extents(cached, shape).region(outputs).rows(queue, rows(shape));
  }

  private static ClKernel extents(ClKernel kernel, AttentionShape shape) {
    return kernel
        .whole(shape.seqLength())
        .whole(shape.heads())
        .whole(shape.headSize())
        .number((float) (1 / Math.sqrt(shape.headSize())));
  }

  /// Positions of all heads.
  private static long rows(AttentionShape shape) {
    return (long) shape.tokens() * shape.heads();
  }
}
