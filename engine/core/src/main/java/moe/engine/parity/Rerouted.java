package moe.engine.parity;

import java.util.BitSet;

/// Tokens that took other experts than in the reference, where a format of fewer bits may decide a
/// near tie otherwise. What comes of them cannot be compared.
///
/// @param tokens by their places in the batch
record Rerouted(BitSet tokens) {
  static final Rerouted NONE = new Rerouted(new BitSet());

  int count() {
    return tokens.cardinality();
  }

  /// The rows of all other tokens, one after the other.
  ///
  /// @param rows `[count, width]`
  float[] leftOut(float[] rows, int count) {
    int width = rows.length / count;
    float[] rest = new float[(count - count()) * width];
    int to = 0;
    for (int token = tokens.nextClearBit(0);
        token < count;
        token = tokens.nextClearBit(token + 1)) {
      System.arraycopy(rows, token * width, rest, to, width);
      to += width;
    }
    return rest;
  }
}
