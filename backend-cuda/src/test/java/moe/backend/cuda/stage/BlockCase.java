package moe.backend.cuda.stage;

import static java.util.Objects.requireNonNull;

import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import moe.spi.device.Activation;
import moe.spi.device.DType;
import moe.spi.stage.LayerSpec;

/// A batch for a block of 5 experts.
///
/// @param gated with SiLU, else GELU alone
/// @param fused the path on which it trains; inference takes the other
/// @param draws of random numbers that are judged together: of few tokens, a gradient is few
///   numbers or even one, and where its terms happen to cancel out their errors remain
record BlockCase(
    int tokens,
    int dModel,
    int dHidden,
    int topK,
    Load load,
    boolean gated,
    boolean fused,
    int draws) {
  private static final int EXPERTS = 5;

  /// Which experts the tokens go to; logits deviate by 1 from their biases.
  enum Load {
    /// As it happens.
    RANDOM,
    /// All tokens to expert 3, and if they take two to another besides.
    ONE,
    /// None to experts 0 and 4.
    IDLE;

    float bias(int expert) {
      return switch (this) {
        case RANDOM -> 0;
        case ONE -> expert == 3 ? 8 : 0;
        case IDLE -> expert == 0 || expert == 4 ? -9 : 0;
      };
    }

    /// Whether a token's experts are as this says.
    boolean holds(int[] chosen) {
      return switch (this) {
        case RANDOM -> true;
        case ONE -> chosen[0] == 3;
        case IDLE -> Arrays.stream(chosen).allMatch(expert -> expert > 0 && expert < 4);
      };
    }
  }

  LayerSpec spec(boolean training) {
    return new LayerSpec(
        Math.max(1, tokens),
        dModel,
        dHidden,
        EXPERTS,
        topK,
        gated ? Activation.SILU : Activation.GELU,
        gated,
        true,
        DType.F32,
        training);
  }

  /// Tokens, the gradient of the output and parameters, by their names.
  Map<String, float[]> draw(int seed) {
    Map<String, float[]> numbers = DeviceBlock.normal(spec(true), tokens, new Random(seed));
    float[] bias = requireNonNull(numbers.get("router.bias"));
    for (int expert = 0; expert < EXPERTS; expert++) {
      bias[expert] += load.bias(expert);
    }
    return numbers;
  }

  @Override
  public String toString() {
    return "%d tokens, %d to %d%s, top %d, %s"
        .formatted(tokens, dModel, dHidden, gated ? " gated" : "", topK, load);
  }
}
