package moe.engine.checkpoint;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;

/// JSON on its way to a parser, refused where a text is longer than any parser should hold: a
/// parser takes up to six bytes of memory for each byte of the text it reads.
final class ShortTexts extends FilterInputStream {
  static final int MAX_TEXT = 2 << 20;

  private final DataFile file;
  private boolean inside;
  private boolean escaped;
  private int length;

  ShortTexts(DataFile file, InputStream json) {
    super(json);
    this.file = file;
  }

  @Override
  public int read() throws IOException {
    int value = super.read();
    if (value >= 0) {
      look((byte) value);
    }
    return value;
  }

  @Override
  public int read(byte[] target, int offset, int count) throws IOException {
    int read = super.read(target, offset, count);
    for (int i = 0; i < read; i++) {
      look(target[offset + i]);
    }
    return read;
  }

  private void look(byte value) {
    if (inside && (escaped || value != '"')) {
      escaped = !escaped && value == '\\';
      length++;
      if (length > MAX_TEXT) {
        throw file.damaged("the header has a text of more than %,d bytes".formatted(MAX_TEXT));
      }
    } else if (value == '"') {
      inside = !inside;
      length = 0;
    }
  }
}
