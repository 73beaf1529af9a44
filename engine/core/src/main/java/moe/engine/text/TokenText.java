package moe.engine.text;

import java.util.Arrays;
import moe.engine.text.tokenizer.Tokenizer;
import moe.spi.error.MoeException;

/// All documents of a text as token ids, each with an end of text behind it.
///
/// @param ids of all documents, one after the other
/// @param ends where each document ends in `ids`, behind its end of text; rising, none empty
@SuppressWarnings("ArrayRecordComponent") // owned by this package, which compares by hand
record TokenText(int[] ids, int[] ends) {
  /// Java's longest arrays have a little less than 2^31 elements.
  static final int MOST_TOKENS = Integer.MAX_VALUE - 16;

  /// Reads a text and encodes it. Documents without a character are left out.
  ///
  /// @throws MoeException kind `DATA` if the text cannot be read, has nothing in it or is too long
  static TokenText encode(TextSource source, Tokenizer tokenizer) {
    Growing text = new Growing();
    source.read(document -> {
      if (!document.text().isEmpty()) {
        text.add(document.place(), tokenizer.encode(document.text()), tokenizer.endOfText());
      }
    });
    if (text.documents == 0) {
      throw TextError.of(source.name(), "no text in it", "give a text.path with some");
    }
    return new TokenText(
        Arrays.copyOf(text.ids, text.length), Arrays.copyOf(text.ends, text.documents));
  }

  /// Arrays that double as they fill.
  private static final class Growing {
    private int[] ids = new int[1 << 16];
    private int[] ends = new int[64];
    private int length;
    private int documents;

    void add(String place, int[] document, int endOfText) {
      long needed = (long) length + document.length + 1;
      if (needed > MOST_TOKENS) {
        throw TextError.of(
            place, "more than %,d tokens up to here".formatted(MOST_TOKENS), "give less text");
      }
      if (needed > ids.length) {
        ids = Arrays.copyOf(ids, (int) Math.clamp(2L * length, needed, (long) MOST_TOKENS));
      }
      System.arraycopy(document, 0, ids, length, document.length);
      length = (int) needed;
      ids[length - 1] = endOfText;
      if (documents == ends.length) {
        ends = Arrays.copyOf(ends, 2 * documents);
      }
      ends[documents++] = length;
    }
  }

  /// The first token that is held out.
  ///
  /// Where the text says which documents are, it is the first of these. Otherwise it is the border
  /// of documents closest to the asked share, unless that would change one of the two parts by more
  /// than half; then, and in a single document, the share itself.
  ///
  /// @param share of the tokens to hold out, from 0 to 1
  int border(TextSource source, double share) {
    if (source.firstHeldOut().isPresent()) {
      int first = source.firstHeldOut().getAsInt();
      return first == 0 ? 0 : ends[first - 1];
    }
    int exact = (int) (ids.length - Math.round(ids.length * share));
    int found = Arrays.binarySearch(ends, exact);
    if (found >= 0 || exact == 0) {
      return exact;
    }
    int above = -found - 1;
    int border = ends[above];
    if (above > 0 && exact - ends[above - 1] <= border - exact) {
      border = ends[above - 1];
    }
    return Math.abs(border - exact) <= Math.min(exact, ids.length - exact) / 2 ? border : exact;
  }
}
