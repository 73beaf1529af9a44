package moe.backend.cuda;

import moe.spi.device.AttentionShape;
import moe.spi.device.KvCache;
import moe.spi.device.Tensor;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import org.jspecify.annotations.Nullable;

/// Causal self-attention, its gradient, and its form for decoding.
final class AttentionOps {
  private static final Operation FORWARD = new Operation("attention");
  private static final Operation BACKWARD = new Operation("attentionBackward");
  private static final Operation CACHED = new Operation("attentionCached");
  private static final Kernel APPEND = new Kernel("attention", "moe_attention_append");
  private static final int QUERIES_PER_WARP = 4;
  private static final int ROWS_PER_WARP = 2; // of the backward

  /// The kernels for heads up to a size.
  private record Size(
      int head, int warps, Kernel forward, Kernel step, Kernel backQueries, Kernel backKeys) {
    static Size of(int head, int warps) {
      return new Size(
          head,
          warps,
          new Kernel("attention", "moe_attention_h" + head),
          new Kernel("attention", "moe_attention_step_h" + head),
          new Kernel("attention_back", "moe_attention_back_queries_h" + head),
          new Kernel("attention_back", "moe_attention_back_keys_h" + head));
    }
  }

  private static final Size H32 = Size.of(32, 8);
  private static final Size H64 = Size.of(64, 8);
  private static final Size H128 = Size.of(128, 4);

  private AttentionOps() {}

  /// @param half whether operands may be rounded to bf16
  static void forward(
      CudaStream stream,
      boolean half,
      Tensor qkv,
      AttentionShape shape,
      Tensor out,
      @Nullable Tensor logSumExp) {
    int tokens = shape.tokens();
    int width = shape.dModel();
    FORWARD.matrix("qkv", qkv, tokens, 3L * width);
    FORWARD.matrix("out", out, tokens, width);
    if (logSumExp != null) {
      FORWARD.floats("logSumExp", logSumExp, (long) tokens * shape.heads());
    }
    if (half && HalfAttention.suits(shape, qkv, out)) {
      HalfAttention.forward(stream, qkv, shape, out, logSumExp);
      return;
    }
    Size size = size(FORWARD, shape);
    long row = 3L * width;
    long address = CudaTensor.of(qkv).address();
    grid(stream, size.forward(), size, shape, QUERIES_PER_WARP)
        .address(address)
        .address(address + (long) width * Float.BYTES)
        .address(address + 2L * width * Float.BYTES)
        .tensor(out)
        .tensor(logSumExp)
        .wide(row * shape.seqLength())
        .number(row)
        .wide(row * shape.seqLength())
        .wide(shape.headSize())
        .number(row)
        .number(shape.seqLength())
        .number(0)
        .tensor(null)
        .number(shape.headSize())
        .run();
  }

  static void backward(
      CudaStream stream,
      boolean half,
      Tensor dOut,
      Tensor qkv,
      Tensor out,
      Tensor logSumExp,
      AttentionShape shape,
      Tensor dQkv) {
    int tokens = shape.tokens();
    int width = shape.dModel();
    BACKWARD.matrix("dOut", dOut, tokens, width);
    BACKWARD.matrix("qkv", qkv, tokens, 3L * width);
    BACKWARD.matrix("out", out, tokens, width);
    BACKWARD.floats("logSumExp", logSumExp, (long) tokens * shape.heads());
    BACKWARD.matrix("dQkv", dQkv, tokens, 3L * width);
    if (half && HalfAttention.suits(shape, dOut, qkv, out, dQkv)) {
      HalfAttention.backward(stream, dOut, qkv, out, logSumExp, shape, dQkv);
      return;
    }
    Size size = size(BACKWARD, shape);
    back(stream, size.backQueries(), size, dOut, qkv, out, logSumExp, shape, dQkv);
    back(stream, size.backKeys(), size, dOut, qkv, out, logSumExp, shape, dQkv);
  }

  private static void back(
      CudaStream stream,
      Kernel kernel,
      Size size,
      Tensor dOut,
      Tensor qkv,
      Tensor out,
      Tensor logSumExp,
      AttentionShape shape,
      Tensor dQkv) {
    grid(stream, kernel, size, shape, ROWS_PER_WARP)
        .tensor(dOut)
        .tensor(qkv)
        .tensor(out)
        .tensor(logSumExp)
        .tensor(dQkv)
        .number(shape.seqLength())
        .number(shape.headSize())
        .run();
  }

  /// @param positionAt I32 `[1]` in place of `position`; null for none
  static void cached(
      CudaStream stream,
      Tensor qkv,
      KvCache cache,
      int position,
      @Nullable Tensor positionAt,
      AttentionShape shape,
      Tensor out) {
    int tokens = shape.tokens();
    int width = shape.dModel();
    long heads = (long) shape.batch() * shape.heads();
    long headElements = heads * shape.headSize();
    long maxLength = headElements == 0 ? 0 : cache.keys().shape().elements() / headElements;
    CACHED.require(
        position >= 0 && (heads == 0 || (long) position + shape.seqLength() <= maxLength),
        "position",
        position,
        "must leave room for the new positions in a cache of length",
        maxLength);
    if (positionAt != null) {
      CACHED.ints("position", positionAt, 1);
    }
    CACHED.matrix("qkv", qkv, tokens, 3L * width);
    CACHED.matrix("out", out, tokens, width);
    CACHED.matrix("cache.keys", cache.keys(), heads * maxLength, shape.headSize());
    CACHED.matrix("cache.values", cache.values(), heads * maxLength, shape.headSize());
    Size size = size(CACHED, shape);
    if (shape.seqLength() == 1) {
      stream
          .launch(size.step(), 256, shape.heads(), shape.batch(), 1)
          .dependent()
          .reads(qkv)
          .tensor(cache.keys())
          .tensor(cache.values())
          .tensor(out)
          .number(position)
          .reads(positionAt)
          .number(maxLength)
          .number(shape.headSize())
          .run();
      return;
    }
    stream
        .launch(APPEND, 256, shape.seqLength(), shape.batch(), 1)
        .tensor(qkv)
        .tensor(cache.keys())
        .tensor(cache.values())
        .number(position)
        .tensor(positionAt)
        .number(maxLength)
        .number(shape.heads())
        .number(shape.headSize())
        .run();
    long head = maxLength * shape.headSize();
    grid(stream, size.forward(), size, shape, QUERIES_PER_WARP)
        .tensor(qkv)
        .tensor(cache.keys())
        .tensor(cache.values())
        .tensor(out)
        .tensor(null)
        .wide(3L * width * shape.seqLength())
        .number(3L * width)
        .wide(head * shape.heads())
        .wide(head)
        .number(shape.headSize())
        .number(shape.seqLength())
        .number(position)
        .tensor(positionAt)
        .number(shape.headSize())
        .run();
  }

  private static Launch grid(
      CudaStream stream, Kernel kernel, Size size, AttentionShape shape, int rowsPerWarp) {
    return stream.launch(
        kernel,
        32 * size.warps(),
        Math.ceilDiv(shape.seqLength(), rowsPerWarp * size.warps()),
        shape.heads(),
        shape.batch());
  }

  private static Size size(Operation operation, AttentionShape shape) {
    int headSize = shape.headSize();
    if (headSize > H128.head()) {
      throw new MoeException(
          ErrorKind.UNSUPPORTED,
          "cuda: %s: headSize = %d: must be at most %d; use more heads, or --backend cpu"
              .formatted(operation.name(), headSize, H128.head()));
    }
    return headSize <= H32.head() ? H32 : headSize <= H64.head() ? H64 : H128;
  }
}
