package moe.backend.cuda;

import moe.spi.device.Embeddings;
import moe.spi.device.Tensor;
import org.jspecify.annotations.Nullable;

/// Tokens to rows, and logits to losses and tokens.
final class TokenOps {
  private static final Operation EMBED = new Operation("embed");
  private static final Operation EMBED_BACKWARD = new Operation("embedBackward");
  private static final Operation CROSS_ENTROPY = new Operation("crossEntropy");
  private static final Operation ARG_MAX = new Operation("argMax");
  private static final Kernel EMBED_F32 = new Kernel("embedding", "moe_embed");
  private static final Kernel EMBED_BF16 = new Kernel("embedding", "moe_embed_bf16w");
  private static final Kernel BACK_TOKENS = new Kernel("embedding", "moe_embed_back_tokens");
  private static final Kernel BACK_POSITIONS = new Kernel("embedding", "moe_embed_back_positions");
  private static final Kernel LOSS = new Kernel("cross_entropy", "moe_cross_entropy");
  private static final Kernel LARGEST = new Kernel("cross_entropy", "moe_argmax");
  private static final Kernel LOSS_HALF = new Kernel("cross_entropy", "moe_cross_entropy_half");
  private static final int ROW_BLOCK = 1024;

  private TokenOps() {}

  /// @param firstPositionAt I32 `[1]` in place of `firstPosition`; null for none
  static void embed(
      CudaStream stream,
      Tensor ids,
      Embeddings tables,
      int seqLength,
      int firstPosition,
      @Nullable Tensor firstPositionAt,
      Tensor out) {
    long tokens = ids.shape().elements();
    long dModel = out.shape().lastDim();
    long vocab = tables.tokens().shape().rows();
    long known = tables.positions().shape().rows();
    EMBED.ints("ids", ids, tokens);
    boolean bf16 = EMBED.weight("tokens", tables.tokens(), vocab, dModel);
    EMBED.matrix("positions", tables.positions(), known, dModel);
    EMBED.matrix("out", out, tokens, dModel);
    if (firstPositionAt == null) {
      checkPositions(EMBED, seqLength, firstPosition, known);
    } else {
      EMBED.ints("firstPosition", firstPositionAt, 1);
    }
    stream
        .launch(bf16 ? EMBED_BF16 : EMBED_F32, 256, tokens, 1, 1)
        .dependent()
        .reads(ids)
        .reads(tables.tokens())
        .reads(tables.positions())
        .tensor(out)
        .number(vocab)
        .number(seqLength)
        .number(firstPosition)
        .tensor(firstPositionAt)
        .number(dModel)
        .run();
  }

  static void embedBackward(
      CudaStream stream, Tensor ids, Tensor dOut, int seqLength, Embeddings gradients) {
    long tokens = ids.shape().elements();
    long dModel = dOut.shape().lastDim();
    long vocab = gradients.tokens().shape().rows();
    long known = gradients.positions().shape().rows();
    EMBED_BACKWARD.ints("ids", ids, tokens);
    EMBED_BACKWARD.matrix("dOut", dOut, tokens, dModel);
    EMBED_BACKWARD.matrix("gradients.tokens", gradients.tokens(), vocab, dModel);
    EMBED_BACKWARD.matrix("gradients.positions", gradients.positions(), known, dModel);
    checkPositions(EMBED_BACKWARD, seqLength, 0, known);
    stream
        .launch(BACK_TOKENS, 256, tokens, 1, 1)
        .tensor(ids)
        .tensor(dOut)
        .tensor(gradients.tokens())
        .number(tokens)
        .number(vocab)
        .number(dModel)
        .run();
    stream
        .launch(BACK_POSITIONS, 256, Math.min(seqLength, tokens), 1, 1)
        .tensor(dOut)
        .tensor(gradients.positions())
        .number(tokens)
        .number(seqLength)
        .number(dModel)
        .run();
  }

  private static void checkPositions(
      Operation operation, int seqLength, int firstPosition, long known) {
    operation.require(seqLength >= 1, "seqLength", seqLength, "must be at least", 1);
    operation.require(
        firstPosition >= 0 && (long) firstPosition + seqLength <= known,
        "the last position",
        (long) firstPosition + seqLength - 1,
        "must be below the number of positions",
        known);
  }

  static void crossEntropy(
      CudaStream stream,
      Tensor logits,
      Tensor targets,
      Tensor losses,
      float gradientScale,
      @Nullable Tensor dLogits) {
    checkLoss(logits, targets, losses);
    long rows = logits.shape().rows();
    long vocab = logits.shape().lastDim();
    if (dLogits != null) {
      CROSS_ENTROPY.matrix("dLogits", dLogits, rows, vocab);
    }
    stream
        .launch(LOSS, ROW_BLOCK, rows, 1, 1)
        .tensor(logits)
        .tensor(targets)
        .tensor(losses)
        .tensor(dLogits)
        .number(vocab)
        .real(gradientScale)
        .run();
  }

  private static void checkLoss(Tensor logits, Tensor targets, Tensor losses) {
    long rows = logits.shape().rows();
    CROSS_ENTROPY.matrix("logits", logits, rows, logits.shape().lastDim());
    CROSS_ENTROPY.ints("targets", targets, rows);
    CROSS_ENTROPY.floats("losses", losses, rows);
  }

  /// The same with a gradient in bf16.
  ///
  /// @param dLogits an address of bf16 `[rows, stride]`
  static void crossEntropy(
      CudaStream stream,
      Tensor logits,
      Tensor targets,
      Tensor losses,
      float gradientScale,
      long dLogits,
      int stride) {
    checkLoss(logits, targets, losses);
    stream
        .launch(LOSS_HALF, ROW_BLOCK, logits.shape().rows(), 1, 1)
        .dependent()
        .reads(logits)
        .reads(targets)
        .tensor(losses)
        .address(dLogits)
        .number(logits.shape().lastDim())
        .number(stride)
        .real(gradientScale)
        .run();
  }

  static void argMax(CudaStream stream, Tensor x, Tensor indexes) {
    long rows = x.shape().rows();
    long width = x.shape().lastDim();
    ARG_MAX.require(width > 0, "the last dimension of x", width, "must be at least", 1);
    ARG_MAX.matrix("x", x, rows, width);
    ARG_MAX.ints("indexes", indexes, rows);
    stream
        .launch(LARGEST, ROW_BLOCK, rows, 1, 1)
        .dependent()
        .reads(x)
        .tensor(indexes)
        .number(width)
        .run();
  }
}
