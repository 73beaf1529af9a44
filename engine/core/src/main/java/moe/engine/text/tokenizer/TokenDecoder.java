package moe.engine.text.tokenizer;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/// Turns tokens into text as they come, and never shows a part of a character: one character may be
/// spread over several tokens.
///
/// Bytes that are no UTF-8, which a model may well choose, become U+FFFD. For one thread.
public final class TokenDecoder {
  private final Tokenizer tokenizer;
  private final CharsetDecoder decoder =
      StandardCharsets.UTF_8
          .newDecoder()
          .onMalformedInput(CodingErrorAction.REPLACE)
          .onUnmappableCharacter(CodingErrorAction.REPLACE);
  private byte[] unfinished = new byte[0];

  public TokenDecoder(Tokenizer tokenizer) {
    this.tokenizer = tokenizer;
  }

  /// The characters that are complete with this token; perhaps none.
  public String next(int id) {
    return decode(tokenizer.bytes(id), false);
  }

  /// What is left of a character that never became complete; the next token starts anew.
  public String finish() {
    String rest = decode(new byte[0], true);
    decoder.reset();
    return rest;
  }

  private String decode(byte[] more, boolean last) {
    ByteBuffer bytes =
        ByteBuffer.allocate(unfinished.length + more.length).put(unfinished).put(more).flip();
    CharBuffer text = CharBuffer.allocate(bytes.remaining() + 1);
    decoder.decode(bytes, text, last);
    unfinished = new byte[bytes.remaining()];
    bytes.get(unfinished);
    return text.flip().toString();
  }
}
