package moe.engine.metrics;

import java.util.OptionalDouble;

/// Perplexities that a model of the language must fall below to be worth anything.
///
/// @param uniform of choosing evenly: the number of token ids
/// @param unigram of the training text's token frequencies, smoothed, on the held-out text
public record Baselines(OptionalDouble uniform, OptionalDouble unigram) {
  /// Both are known.
  public static Baselines of(double uniform, double unigram) {
    return new Baselines(OptionalDouble.of(uniform), OptionalDouble.of(unigram));
  }
}
