package moe.cli;

import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.util.Collection;
import java.util.Map;

/// Writes maps, lists, texts, numbers and flags as JSON.
final class Json {
  private Json() {}

  /// The value over several lines, with a line end.
  static String text(Object value) {
    return new GsonBuilder()
            .setPrettyPrinting()
            .disableHtmlEscaping()
            .create()
            .toJson(element(value))
        + "\n";
  }

  /// The value in one line, without a line end.
  static String line(Object value) {
    return new GsonBuilder().disableHtmlEscaping().create().toJson(element(value));
  }

  private static JsonElement element(Object value) {
    return switch (value) {
      case Map<?, ?> map -> {
        JsonObject object = new JsonObject();
        map.forEach((key, element) -> object.add(key.toString(), element(element)));
        yield object;
      }
      case Collection<?> list -> {
        JsonArray array = new JsonArray();
        list.forEach(element -> array.add(element(element)));
        yield array;
      }
      case Boolean flag -> new JsonPrimitive(flag);
      case Number number -> new JsonPrimitive(number);
      default -> new JsonPrimitive(value.toString());
    };
  }
}
