package moe.engine.bench;

import java.util.List;
import java.util.stream.Collectors;
import moe.spi.device.Activation;
import moe.spi.device.DType;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import moe.spi.stage.LayerSpec;

/// The extents of a MoE block to time.
///
/// @param name what the tables call it
/// @param gated whether experts are SwiGLU without biases; otherwise GELU with biases
public record MoeShape(
    String name, int tokens, int dModel, int dHidden, int experts, int topK, boolean gated) {
  /// The shapes that peers are measured with, smallest first.
  public static final List<MoeShape> NAMED =
      List.of(
          new MoeShape("one-token", 1, 768, 3072, 8, 2, false),
          new MoeShape("seed-64", 64, 768, 3072, 8, 2, false),
          new MoeShape("seed-1k", 1024, 768, 3072, 8, 2, false),
          new MoeShape("seed-8k", 8192, 768, 3072, 8, 2, false),
          new MoeShape("olmoe-1", 1, 2048, 1024, 64, 8, true),
          new MoeShape("olmoe-4k", 4096, 2048, 1024, 64, 8, true),
          new MoeShape("mixtral-4k", 4096, 4096, 14336, 8, 2, true),
          new MoeShape("qwen3-8k", 8192, 2048, 768, 128, 8, true),
          new MoeShape("granular", 40960, 768, 1024, 32, 2, true));

  /// Reads a name of `NAMED`, or numbers as `tokens/dModel/dHidden/experts/topK`, with `/gated`
  /// behind for SwiGLU.
  ///
  /// @throws MoeException kind `USAGE` with what is allowed
  public static MoeShape parse(String text) {
    for (MoeShape shape : NAMED) {
      if (shape.name.equals(text)) {
        return shape;
      }
    }
    if (!text.matches("\\d{1,9}(/\\d{1,9}){4}(/gated)?")) {
      throw new MoeException(
          ErrorKind.USAGE,
          "--shape %s: expected one of %s, or tokens/dModel/dHidden/experts/topK[/gated]"
              .formatted(
                  text, NAMED.stream().map(MoeShape::name).collect(Collectors.joining(", "))));
    }
    String[] parts = text.split("/", -1);
    MoeShape shape =
        new MoeShape(
            text,
            Integer.parseInt(parts[0]),
            Integer.parseInt(parts[1]),
            Integer.parseInt(parts[2]),
            Integer.parseInt(parts[3]),
            Integer.parseInt(parts[4]),
            parts.length == 6);
    try {
      shape.spec(DType.F32, false);
    } catch (IllegalArgumentException | ArithmeticException invalid) {
      throw new MoeException(
          ErrorKind.USAGE, "--shape %s: %s".formatted(text, invalid.getMessage()), invalid);
    }
    return shape;
  }

  /// The block as stages see it.
  public LayerSpec spec(DType weights, boolean training) {
    return new LayerSpec(
        tokens,
        dModel,
        dHidden,
        experts,
        topK,
        gated ? Activation.SILU : Activation.GELU,
        gated,
        !gated,
        weights,
        training);
  }

  /// Floating-point operations of one forward: the experts' matrix products and the router's
  /// logits.
  public double forwardFlops() {
    double experts2 = 2.0 * tokens * topK * dModel * (double) dHidden * (gated ? 3 : 2);
    return experts2 + 2.0 * tokens * dModel * (double) experts;
  }

  /// Bytes of the experts' matrices, each read once, if `touched` of them have tokens.
  public double weightBytes(int touched, DType weights) {
    return (double) touched * dModel * dHidden * (gated ? 3 : 2) * weights.bytes();
  }
}
