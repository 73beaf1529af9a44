package moe.engine.text;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import moe.spi.error.MoeException;

/// UTF-8 to text, where a wrong byte is an error that says where it is.
final class StrictUtf8 {
  private static final char REPLACEMENT = '\uFFFD';
  private static final char BYTE_ORDER_MARK = '\uFEFF';

  private StrictUtf8() {}

  /// @param place shown in the error
  /// @param offset of the first byte in its file
  /// @throws MoeException kind `DATA`, with the offset of the first wrong byte
  static String decode(byte[] bytes, String place, long offset) {
    String text = new String(bytes, StandardCharsets.UTF_8);
    // The JDK's fast way replaces what is wrong. Only then, or if the file has this sign, look.
    if (text.indexOf(REPLACEMENT) >= 0) {
      check(bytes, place, offset);
    }
    boolean marked = offset == 0 && !text.isEmpty() && text.charAt(0) == BYTE_ORDER_MARK;
    return marked ? text.substring(1) : text;
  }

  private static void check(byte[] bytes, String place, long offset) {
    ByteBuffer in = ByteBuffer.wrap(bytes);
    CharBuffer out = CharBuffer.allocate(8192);
    CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
    CoderResult result = CoderResult.OVERFLOW;
    while (result.isOverflow()) {
      out.clear();
      result = decoder.decode(in, out, true);
    }
    if (result.isError()) {
      throw TextError.of(
          place,
          "not valid UTF-8 at byte %,d (0x%02X)".formatted(offset + in.position(), in.get()),
          "save the file as UTF-8");
    }
  }
}
