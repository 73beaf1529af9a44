package moe.engine.config;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/// Turns bytes into text that is safe to parse: at most 1 MiB of strict UTF-8 without control
/// characters.
final class TextCheck {
  /// The largest pipeline file, in bytes.
  static final int MAX_BYTES = 1 << 20;

  private TextCheck() {}

  /// The text with `\n` as line ends; what cannot be used is reported and replaced by a blank.
  static String text(byte[] bytes, Problems problems) {
    if (bytes.length > MAX_BYTES) {
      problems.atFile("larger than 1 MiB, which no pipeline file is");
      return "";
    }
    CharsetDecoder decoder =
        StandardCharsets.UTF_8
            .newDecoder()
            .onMalformedInput(CodingErrorAction.REPORT)
            .onUnmappableCharacter(CodingErrorAction.REPORT);
    ByteBuffer in = ByteBuffer.wrap(bytes);
    CharBuffer out = CharBuffer.allocate(bytes.length);
    CoderResult result = decoder.decode(in, out, true);
    String decoded = out.flip().toString();
    if (result.isError()) {
      long line = 1 + decoded.chars().filter(c -> c == '\n').count();
      problems.atLine(
          (int) line, "byte 0x%02X is not UTF-8; save the file as UTF-8".formatted(in.get()));
      return "";
    }
    String text = decoded.startsWith("\uFEFF") ? decoded.substring(1) : decoded;
    return withoutControls(text.replace("\r\n", "\n"), problems);
  }

  private static String withoutControls(String text, Problems problems) {
    StringBuilder clean = new StringBuilder(text);
    int line = 1;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '\n') {
        line++;
      } else if (c != '\t' && Character.isISOControl(c)) {
        if (!problems.full()) {
          problems.atLine(line, "control character U+%04X; remove it".formatted((int) c));
        }
        clean.setCharAt(i, ' ');
      }
    }
    return clean.toString();
  }
}
