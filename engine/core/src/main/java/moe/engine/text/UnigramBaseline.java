package moe.engine.text;

import java.util.Objects;
import java.util.stream.LongStream;

/// What a text costs without knowing any context: the perplexities that a model must fall below.
///
/// The unigram model gives token `t` the probability `(count(t) + 1) / (tokens + vocab)`, counts
/// and tokens of the training part, ends of text included. Its perplexity is `exp(-mean(ln p(t)))`
/// over tokens of the held-out part, ends of text included.
///
/// @param uniform perplexity of choosing evenly, which is the number of ids
/// @param unigram perplexity of the training part's frequencies on the held-out part; NaN if
///   nothing of that is looked at
public record UnigramBaseline(double uniform, double unigram) {
  /// Counts both parts of a text.
  ///
  /// @param heldOut all of it counts
  /// @param vocab number of ids; all tokens are below it
  public static UnigramBaseline of(TokenSpan train, TokenSpan heldOut, int vocab) {
    return of(train, counts(heldOut, vocab));
  }

  /// Counts what a model predicts in these windows, so that both are tried on the same tokens: all
  /// but the first of each.
  ///
  /// @param vocab number of ids; all tokens are below it
  public static UnigramBaseline of(TokenSpan train, SpreadWindows heldOut, int vocab) {
    long[] predicted = new long[vocab];
    int[] ids = new int[heldOut.tokens()];
    for (int batch = 0; batch < heldOut.batches(); batch++) {
      heldOut.fill(batch, ids);
      for (int i = 0; i < ids.length; i++) {
        if (i % heldOut.seqLength() != 0) {
          predicted[Objects.checkIndex(ids[i], vocab)]++;
        }
      }
    }
    return of(train, predicted);
  }

  private static UnigramBaseline of(TokenSpan train, long[] predicted) {
    int vocab = predicted.length;
    long[] trained = counts(train, vocab);
    double total = (double) train.length() + vocab;
    double nats = 0;
    for (int id = 0; id < vocab; id++) {
      nats -= predicted[id] * Math.log((trained[id] + 1) / total);
    }
    return new UnigramBaseline(vocab, Math.exp(nats / LongStream.of(predicted).sum()));
  }

  private static long[] counts(TokenSpan text, int vocab) {
    long[] counts = new long[vocab];
    for (int i = 0; i < text.length(); i++) {
      counts[Objects.checkIndex(text.id(i), vocab)]++;
    }
    return counts;
  }
}
