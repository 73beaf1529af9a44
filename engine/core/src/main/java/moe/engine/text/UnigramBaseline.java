package moe.engine.text;

import java.util.Objects;

/// What a text costs without knowing any context: the perplexities that a model must fall below.
///
/// The unigram model gives token `t` the probability `(count(t) + 1) / (tokens + vocab)`, counts
/// and tokens of the training part, ends of text included. Its perplexity is `exp(-mean(ln p(t)))`
/// over all tokens of the held-out part, ends of text included.
///
/// @param uniform perplexity of choosing evenly, which is the number of ids
/// @param unigram perplexity of the training part's frequencies on the held-out part; NaN if that
///   is empty
public record UnigramBaseline(double uniform, double unigram) {
  /// Counts both parts of a text.
  ///
  /// @param heldOutText what the model is tried on
  /// @param vocab number of ids; all tokens are below it
  public static UnigramBaseline of(TokenSpan train, TokenSpan heldOutText, int vocab) {
    long[] trained = counts(train, vocab);
    long[] heldOut = counts(heldOutText, vocab);
    double total = (double) train.length() + vocab;
    double nats = 0;
    for (int id = 0; id < vocab; id++) {
      nats -= heldOut[id] * Math.log((trained[id] + 1) / total);
    }
    return new UnigramBaseline(vocab, Math.exp(nats / heldOutText.length()));
  }

  private static long[] counts(TokenSpan text, int vocab) {
    long[] counts = new long[vocab];
    for (int i = 0; i < text.length(); i++) {
      counts[Objects.checkIndex(text.id(i), vocab)]++;
    }
    return counts;
  }
}
