package moe.backend.cuda;

import moe.spi.device.AttentionShape;
import moe.spi.device.Tensor;
import org.jspecify.annotations.Nullable;

/// Causal self-attention and its gradient in bf16; see `attention_half.cu` and
/// `attention_half_back.cu`. Checks nothing.
final class HalfAttention {
  private static final Kernel FORWARD = new Kernel("attention_half", "moe_attention_half");
  private static final Kernel PREPARE =
      new Kernel("attention_half_back", "moe_attention_half_prepare");
  private static final Kernel BACK_QUERIES =
      new Kernel("attention_half_back", "moe_attention_half_back_queries");
  private static final Kernel BACK_KEYS =
      new Kernel("attention_half_back", "moe_attention_half_back_keys");
  private static final int MOST_HEAD = 64;
  private static final int ROWS = 64; // of a block

  private HalfAttention() {}

  /// Whether heads and rows are as the kernels read them.
  static boolean suits(AttentionShape shape, Tensor... rows) {
    if (shape.headSize() > MOST_HEAD || shape.headSize() % 8 != 0) {
      return false;
    }
    for (Tensor tensor : rows) {
      if (!Products.inFours(tensor, shape.dModel())) {
        return false;
      }
    }
    return true;
  }

  static void forward(
      CudaStream stream, Tensor qkv, AttentionShape shape, Tensor out, @Nullable Tensor logSumExp) {
    long rounded = rounded(stream, qkv, shape);
    boolean leaves = RoundedRows.suits(out);
    launch(stream, FORWARD, shape)
        .address(rounded)
        .tensor(out)
        .tensor(leaves ? stream.roundedRows().room(out) : null)
        .tensor(logSumExp)
        .number(shape.seqLength())
        .number(shape.headSize())
        .run();
    if (leaves) {
      stream.roundedRows().left(out);
    }
  }

  private static long rounded(CudaStream stream, Tensor qkv, AttentionShape shape) {
    int width = 3 * shape.dModel();
    long rounded = stream.room(0, (long) shape.tokens() * width);
    HalfRows.round(stream, qkv, rounded, shape.tokens(), width, width);
    return rounded;
  }

  static void backward(
      CudaStream stream,
      Tensor dOut,
      Tensor qkv,
      Tensor out,
      Tensor logSumExp,
      AttentionShape shape,
      Tensor dQkv) {
    long rounded = rounded(stream, qkv, shape);
    long d = stream.room(1, (long) shape.tokens() * shape.dModel());
    long rows = (long) shape.tokens() * shape.heads();
    long means = Parts.room(stream, rows);
    stream
        .launch(PREPARE, 256, Math.ceilDiv(rows, 32), 1, 1)
        .dependent()
        .reads(dOut)
        .reads(out)
        .address(d)
        .address(means)
        .number(shape.batch())
        .number(shape.seqLength())
        .number(shape.heads())
        .number(shape.headSize())
        .run();
    boolean leaves = RoundedRows.suits(dQkv);
    Tensor left = leaves ? stream.roundedRows().room(dQkv) : null;
    for (Kernel kernel : new Kernel[] {BACK_QUERIES, BACK_KEYS}) {
      launch(stream, kernel, shape)
          .address(d)
          .address(rounded)
          .reads(logSumExp)
          .address(means)
          .tensor(dQkv)
          .tensor(left)
          .number(shape.seqLength())
          .number(shape.headSize())
          .run();
    }
    if (leaves) {
      stream.roundedRows().left(dQkv);
    }
  }

  private static Launch launch(CudaStream stream, Kernel kernel, AttentionShape shape) {
    return stream
        .launch(kernel, 128, Math.ceilDiv(shape.seqLength(), ROWS), shape.heads(), shape.batch())
        .dependent();
  }
}
