package moe.engine.checkpoint;

import com.google.gson.stream.JsonToken;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import moe.spi.error.MoeException;
import org.jspecify.annotations.Nullable;

/// The plain values of a config.json: texts, numbers and truth values at the top level, by key.
final class ConfigFile {
  private static final long MAX_BYTES = 1 << 20;

  private final DataFile file;
  private final Map<String, Value> values = new HashMap<>();

  private record Value(JsonToken kind, String text) {}

  private ConfigFile(DataFile file) {
    this.file = file;
  }

  static ConfigFile read(Path path) {
    DataFile file = new DataFile(path);
    ConfigFile config = new ConfigFile(file);
    JsonText.read(
        file, "config", file.read(MAX_BYTES), text -> text.object(key -> config.add(key, text)));
    return config;
  }

  // Lists and objects belong to settings that this engine does not have.
  private void add(String key, JsonText text) throws IOException {
    JsonToken kind = text.reader().peek();
    switch (kind) {
      case STRING, NUMBER -> values.put(key, new Value(kind, text.reader().nextString()));
      case BOOLEAN ->
          values.put(key, new Value(kind, Boolean.toString(text.reader().nextBoolean())));
      case NULL, BEGIN_ARRAY, BEGIN_OBJECT -> text.reader().skipValue();
      case END_ARRAY, END_OBJECT, NAME, END_DOCUMENT -> throw text.wrong("no value");
    }
  }

  MoeException wrong(String key, String allowed) {
    Value value = values.get(key);
    return file.error(
        value == null ? "%s is missing".formatted(key) : "%s = %s".formatted(key, value.text()),
        allowed);
  }

  private @Nullable Value find(String key, JsonToken kind, String allowed) {
    Value value = values.get(key);
    if (value != null && value.kind() != kind) {
      throw wrong(key, allowed);
    }
    return value;
  }

  /// A text, or the default where the key is absent or null.
  @Nullable String text(String key, @Nullable String absent) {
    Value value = find(key, JsonToken.STRING, "it must be a text");
    return value == null ? absent : value.text();
  }

  boolean flag(String key, boolean absent) {
    Value value = find(key, JsonToken.BOOLEAN, "it must be true or false");
    return value == null ? absent : Boolean.parseBoolean(value.text());
  }

  /// A whole number from 1 on.
  int extent(String key, int most) {
    String allowed = "it must be a whole number from 1 to %d".formatted(most);
    Value value = find(key, JsonToken.NUMBER, allowed);
    if (value == null || !value.text().matches("\\d{1,10}")) {
      throw wrong(key, allowed);
    }
    long number = Long.parseLong(value.text());
    if (number < 1 || number > most) {
      throw wrong(key, allowed);
    }
    return (int) number;
  }

  int extent(String key, int most, int absent) {
    return values.containsKey(key) ? extent(key, most) : absent;
  }

  /// A number above 0 and at most 1.
  float small(String key, float absent) {
    String allowed = "it must be a number above 0 and at most 1";
    Value value = find(key, JsonToken.NUMBER, allowed);
    if (value == null) {
      return absent;
    }
    float number = Float.parseFloat(value.text());
    if (!(number > 0 && number <= 1)) {
      throw wrong(key, allowed);
    }
    return number;
  }
}
