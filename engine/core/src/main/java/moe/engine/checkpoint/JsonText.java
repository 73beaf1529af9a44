package moe.engine.checkpoint;

import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import com.google.gson.stream.MalformedJsonException;
import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Set;
import moe.spi.error.MoeException;

/// A JSON object read strictly: UTF-8, no key twice, nothing behind the end.
final class JsonText {
  private final DataFile file;
  private final String what;
  private final JsonReader reader;

  /// Reads one field; must consume its value.
  interface Field {
    void read(String key) throws IOException;
  }

  private JsonText(DataFile file, String what, InputStream bytes) {
    this.file = file;
    this.what = what;
    this.reader = new JsonReader(new InputStreamReader(bytes, StandardCharsets.UTF_8.newDecoder()));
    reader.setStrictness(Strictness.STRICT);
  }

  /// What is to be done with the text.
  interface Use {
    void with(JsonText text) throws IOException;
  }

  /// Runs `use` on a text that must hold one value and nothing behind it.
  ///
  /// @param what names the text in errors, for example `header`
  static void read(DataFile file, String what, byte[] bytes, Use use) {
    read(file, what, new ByteArrayInputStream(bytes), use);
  }

  static void read(DataFile file, String what, InputStream bytes, Use use) {
    JsonText text = new JsonText(file, what, bytes);
    try {
      use.with(text);
      if (text.reader.peek() != JsonToken.END_DOCUMENT) {
        throw text.wrong("text behind the end");
      }
    } catch (MalformedJsonException | EOFException | NumberFormatException invalid) {
      throw text.invalid("not valid JSON", invalid);
    } catch (CharacterCodingException invalid) {
      throw text.invalid("not valid UTF-8", invalid);
    } catch (IOException failed) {
      throw file.unreadable(failed);
    }
  }

  private MoeException invalid(String problem, Exception cause) {
    return file.error("%s: %s at %s".formatted(what, problem, place()), DataFile.DAMAGED, cause);
  }

  // `line 1 column 5 path $.x`; Gson gives line and column nowhere else.
  private String place() {
    String text = reader.toString();
    int at = text.indexOf(" at ");
    return at < 0 ? reader.getPath() : text.substring(at + " at ".length());
  }

  MoeException wrong(String problem) {
    return file.damaged("%s: %s: %s".formatted(what, reader.getPath(), problem));
  }

  JsonReader reader() {
    return reader;
  }

  /// Reads an object field by field.
  void object(Field field) throws IOException {
    Set<String> seen = new HashSet<>();
    entries(key -> {
      if (!seen.add(key)) {
        throw twice(key);
      }
      field.read(key);
    });
  }

  /// As `object`, for many fields: the caller keeps them anyway and throws `twice` itself.
  void entries(Field field) throws IOException {
    require(JsonToken.BEGIN_OBJECT, "an object");
    reader.beginObject();
    while (reader.hasNext()) {
      field.read(reader.nextName());
    }
    reader.endObject();
  }

  MoeException twice(String key) {
    return wrong("the key \"%s\" occurs twice".formatted(DataFile.oneLine(key)));
  }

  String string() throws IOException {
    require(JsonToken.STRING, "a text");
    return reader.nextString();
  }

  double number() throws IOException {
    require(JsonToken.NUMBER, "a number");
    return reader.nextDouble();
  }

  /// A whole number without sign, point or exponent.
  long natural() throws IOException {
    require(JsonToken.NUMBER, "a whole number");
    String digits = reader.nextString();
    if (!digits.matches("\\d{1,19}")) {
      throw wrong("%s is no whole number of 0 or more".formatted(DataFile.oneLine(digits)));
    }
    try {
      return Long.parseLong(digits);
    } catch (NumberFormatException _) {
      throw wrong("%s is too large".formatted(digits));
    }
  }

  void require(JsonToken token, String expected) throws IOException {
    JsonToken found = reader.peek();
    if (found != token) {
      throw wrong("expected %s, found %s".formatted(expected, found));
    }
  }
}
