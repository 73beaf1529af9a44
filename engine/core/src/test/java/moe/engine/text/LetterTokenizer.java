package moe.engine.text;

import java.nio.charset.StandardCharsets;
import moe.engine.text.tokenizer.Tokenizer;

/// One id for each byte, and one for the end.
///
/// @param vocab at least 257
record LetterTokenizer(String fingerprint, int vocab) implements Tokenizer {
  static final int END = 256;

  LetterTokenizer() {
    this("letters", 257);
  }

  @Override
  public String name() {
    return "letters";
  }

  @Override
  public int endOfText() {
    return END;
  }

  @Override
  public int[] encode(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    int[] ids = new int[bytes.length];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = bytes[i] & 0xFF;
    }
    return ids;
  }

  @Override
  public byte[] bytes(int id) {
    return new byte[] {(byte) id};
  }
}
