package moe.engine.generate;

import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;

/// How the next token is chosen.
public sealed interface Sampling {
  /// Always the most probable token.
  record Greedy() implements Sampling {}

  /// A random token among the most probable ones (nucleus sampling: Holtzman et al., arXiv
  /// 1904.09751).
  ///
  /// @param temperature divides the logits: below 1 the probable becomes more probable
  /// @param topP the chosen one is among the fewest tokens whose probabilities reach this sum; 1
  ///   for all
  /// @param seed the same seed, model and prompt give the same text
  record Nucleus(double temperature, double topP, long seed) implements Sampling {
    private static final double MOST_TEMPERATURE = 100;

    public Nucleus {
      if (!(temperature > 0 && temperature <= MOST_TEMPERATURE)) {
        throw new MoeException(
            ErrorKind.USAGE,
            "temperature %s: must be above 0 and at most 100; for the most probable token, choose greedy"
                .formatted(temperature));
      }
      if (!(topP > 0 && topP <= 1)) {
        throw new MoeException(
            ErrorKind.USAGE,
            "top-p %s: must be above 0 and at most 1, where 1 leaves all tokens".formatted(topP));
      }
    }
  }
}
