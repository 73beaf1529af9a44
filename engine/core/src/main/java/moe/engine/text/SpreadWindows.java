package moe.engine.text;

import java.util.Objects;

/// Windows with equal gaps between them, the first at the first token and the last at the last.
///
/// With as many batches as the text has room for, they are next to each other but for what is left
/// of one batch. With fewer, they still show all of the text, not its beginning. They overlap only
/// if the text is shorter than one batch.
public final class SpreadWindows implements Batches {
  private final TokenSpan text;
  private final int batch;
  private final int seqLength;
  private final int batches;

  SpreadWindows(TokenSpan text, int batch, int seqLength, int most) {
    text.requireSequence(seqLength);
    if (most < 1) {
      throw new IllegalArgumentException("most = %d: must be at least 1".formatted(most));
    }
    this.text = text;
    this.batch = batch;
    this.seqLength = seqLength;
    this.batches = Math.clamp(text.length() / seqLength / batch, 1, most);
  }

  /// How many batches there are.
  public int batches() {
    return batches;
  }

  /// Tokens of a batch.
  int tokens() {
    return Math.multiplyExact(batch, seqLength);
  }

  int seqLength() {
    return seqLength;
  }

  @Override
  public void fill(long number, int[] ids) {
    long first = Objects.checkIndex(number, batches) * batch;
    for (int row = 0; row < batch; row++) {
      text.copy(start(first + row), ids, row * seqLength, seqLength);
    }
  }

  private int start(long window) {
    long last = (long) batches * batch - 1;
    return last == 0 ? 0 : (int) (window * (text.length() - seqLength) / last);
  }
}
