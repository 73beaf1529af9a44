package moe.engine.text.tokenizer;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// The printable character that stands for each byte in vocab.json and merges.txt.
///
/// GPT-2's choice: the printable characters of Latin-1 stand for themselves; the other 68 bytes, in
/// order, are the characters from U+0100 on, so that a space is `Ġ`.
final class ByteAlphabet {
  private static final int FIRST_SUBSTITUTE = 0x100;

  private static final char[] CHARS = new char[256];
  private static final short[] BYTES = new short[FIRST_SUBSTITUTE + 68];

  static {
    Arrays.fill(BYTES, (short) -1);
    char substitute = FIRST_SUBSTITUTE;
    for (int value = 0; value < 256; value++) {
      CHARS[value] = isPrintable(value) ? (char) value : substitute++;
      BYTES[CHARS[value]] = (short) value;
    }
  }

  private ByteAlphabet() {}

  private static boolean isPrintable(int value) {
    return (value >= '!' && value <= '~') || (value >= 0xA1 && value != 0xAD);
  }

  static String character(int value) {
    return String.valueOf(CHARS[value]);
  }

  /// The bytes that a token stands for; null if it has a character that stands for none.
  static byte @Nullable [] bytes(String token) {
    byte[] bytes = new byte[token.length()];
    for (int i = 0; i < bytes.length; i++) {
      char c = token.charAt(i);
      if (c >= BYTES.length || BYTES[c] < 0) {
        return null;
      }
      bytes[i] = (byte) BYTES[c];
    }
    return bytes;
  }

  /// The token that stands for bytes.
  static String token(byte[] bytes) {
    StringBuilder token = new StringBuilder(bytes.length);
    for (byte value : bytes) {
      token.append(CHARS[value & 0xFF]);
    }
    return token.toString();
  }
}
