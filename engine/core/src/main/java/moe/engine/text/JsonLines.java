package moe.engine.text;

import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import com.google.gson.stream.MalformedJsonException;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.StringReader;
import java.util.function.Consumer;
import moe.spi.error.MoeException;
import org.jspecify.annotations.Nullable;

/// A file of JSON objects, one a line, read line by line. Blank lines count but say nothing.
final class JsonLines {
  private static final String FIELD = "text";
  private static final String REMEDY = "each line must be a JSON object with a text field";

  private final String file;
  private final InputStream bytes;
  private final int mostBytes;
  private final byte[] buffer = new byte[1 << 16];
  private final ByteArrayOutputStream line = new ByteArrayOutputStream();
  private long number = 1;
  private long offset;

  /// @param mostBytes of one line
  JsonLines(String file, InputStream bytes, int mostBytes) {
    this.file = file;
    this.bytes = bytes;
    this.mostBytes = mostBytes;
  }

  void read(Consumer<Document> documents) throws IOException {
    for (int count = bytes.read(buffer); count >= 0; count = bytes.read(buffer)) {
      int from = 0;
      for (int i = 0; i < count; i++) {
        if (buffer[i] == '\n') {
          append(from, i);
          finish(documents);
          from = i + 1;
        }
      }
      append(from, count);
    }
    finish(documents);
  }

  private void append(int from, int to) {
    if (line.size() + to - from > mostBytes) {
      throw wrong("more than %,d bytes in one line".formatted(mostBytes), null);
    }
    line.write(buffer, from, to - from);
  }

  private void finish(Consumer<Document> documents) throws IOException {
    String json = StrictUtf8.decode(line.toByteArray(), place(), offset);
    if (!json.isBlank()) {
      documents.accept(new Document(place(), text(json)));
    }
    offset += line.size() + 1;
    number++;
    line.reset();
  }

  private String place() {
    return file + ":" + number;
  }

  private String text(String json) throws IOException {
    JsonReader reader = new JsonReader(new StringReader(json));
    reader.setStrictness(Strictness.STRICT); // refuses half characters, \ud800, too
    try {
      String text = field(reader);
      if (reader.peek() != JsonToken.END_DOCUMENT) {
        throw wrong("something behind the JSON object", null);
      }
      return text;
    } catch (MalformedJsonException | EOFException invalid) {
      throw wrong("not valid JSON at %s".formatted(reader.getPath()), invalid);
    }
  }

  private String field(JsonReader reader) throws IOException {
    if (reader.peek() != JsonToken.BEGIN_OBJECT) {
      throw wrong("no JSON object", null);
    }
    String text = null;
    reader.beginObject();
    while (reader.hasNext()) {
      if (!reader.nextName().equals(FIELD)) {
        reader.skipValue();
        continue;
      }
      if (text != null) {
        throw wrong("the field \"text\" occurs twice", null);
      }
      if (reader.peek() != JsonToken.STRING) {
        throw wrong("the field \"text\" is no string", null);
      }
      text = reader.nextString();
    }
    reader.endObject();
    if (text == null) {
      throw wrong("no field \"text\"", null);
    }
    return text;
  }

  private MoeException wrong(String what, @Nullable Throwable cause) {
    return TextError.of(place(), what, REMEDY, cause);
  }
}
