package moe.backend.cuda;

import moe.spi.device.AttentionShape;
import moe.spi.device.Tensor;
import org.jspecify.annotations.Nullable;

/// Causal self-attention and its gradient in bf16; see `attention_half.cu`. Checks nothing.
final class HalfAttention {
  private static final Kernel FORWARD = new Kernel("attention_half", "moe_attention_half");
  private static final Kernel BACK_QUERIES =
      new Kernel("attention_half", "moe_attention_half_back_queries");
  private static final Kernel BACK_KEYS =
      new Kernel("attention_half", "moe_attention_half_back_keys");
  private static final int MOST_HEAD = 64;
  private static final int ROWS = 128; // of a block

  private HalfAttention() {}

  /// Whether heads and rows are as the kernels read them.
  static boolean suits(AttentionShape shape, Tensor... rows) {
    if (shape.headSize() > MOST_HEAD || shape.headSize() % 4 != 0) {
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
    launch(stream, FORWARD, shape)
        .reads(qkv)
        .tensor(out)
        .tensor(logSumExp)
        .number(shape.seqLength())
        .number(shape.headSize())
        .run();
  }

  static void backward(
      CudaStream stream,
      Tensor dOut,
      Tensor qkv,
      Tensor out,
      Tensor logSumExp,
      AttentionShape shape,
      Tensor dQkv) {
    for (Kernel kernel : new Kernel[] {BACK_QUERIES, BACK_KEYS}) {
      launch(stream, kernel, shape)
          .reads(dOut)
          .reads(qkv)
          .reads(out)
          .reads(logSumExp)
          .tensor(dQkv)
          .number(shape.seqLength())
          .number(shape.headSize())
          .run();
    }
  }

  private static Launch launch(CudaStream stream, Kernel kernel, AttentionShape shape) {
    return stream.launch(
        kernel, 256, Math.ceilDiv(shape.seqLength(), ROWS), shape.heads(), shape.batch());
  }
}
