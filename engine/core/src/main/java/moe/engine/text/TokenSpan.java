package moe.engine.text;

import java.util.Objects;
import moe.spi.error.MoeException;

/// A run of tokens of a text: the training or the held-out part. Not copied, never changed.
public final class TokenSpan {
  private final String name;
  private final int[] ids;
  private final int from;
  private final int length;

  /// @param name what this is, for messages, for example `the held-out part of sotu`
  /// @param ids not changed any more
  TokenSpan(String name, int[] ids, int from, int to) {
    Objects.checkFromToIndex(from, to, ids.length);
    this.name = name;
    this.ids = ids;
    this.from = from;
    this.length = to - from;
  }

  /// Tokens of a text that is in memory already.
  public static TokenSpan of(String name, int... ids) {
    return new TokenSpan(name, ids.clone(), 0, ids.length);
  }

  /// The first of these tokens.
  ///
  /// @param most how many at most
  public TokenSpan first(long most) {
    return new TokenSpan(name, ids, from, from + (int) Math.min(length, most));
  }

  /// How many tokens there are.
  public int length() {
    return length;
  }

  /// The id at an index from 0 on.
  public int id(int index) {
    return ids[from + Objects.checkIndex(index, length)];
  }

  /// Copies tokens.
  ///
  /// @param start the first to be copied
  /// @param target where they go, from `at` on
  void copy(int start, int[] target, int at, int count) {
    Objects.checkFromIndexSize(start, count, length);
    System.arraycopy(ids, from + start, target, at, count);
  }

  /// Refuses a part that has no room for one sequence.
  ///
  /// @throws MoeException kind `DATA`
  void requireSequence(int seqLength) {
    if (length < seqLength) {
      throw TextError.of(
          name,
          "%,d tokens, fewer than one sequence of %,d".formatted(length, seqLength),
          "give more text, another text.held_out, or a smaller run.seq_length");
    }
  }

  @Override
  public String toString() {
    return "%s (%,d tokens)".formatted(name, length);
  }
}
