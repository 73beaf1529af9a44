package moe.engine.metrics;

import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.function.Function;

/// A JSON object under construction, keys in the order they are put.
///
/// A value that is not there leaves its key out. NaN and infinities, which JSON lacks, become the
/// texts `NaN`, `Infinity`, `-Infinity`.
final class JsonOut {
  private final JsonObject object = new JsonObject();

  static JsonElement number(double value) {
    return Double.isFinite(value)
        ? new JsonPrimitive(value)
        : new JsonPrimitive(Double.toString(value));
  }

  JsonOut put(String key, String value) {
    object.addProperty(key, value);
    return this;
  }

  JsonOut put(String key, long value) {
    object.addProperty(key, value);
    return this;
  }

  JsonOut put(String key, double value) {
    object.add(key, number(value));
    return this;
  }

  JsonOut put(String key, OptionalDouble value) {
    value.ifPresent(present -> put(key, present));
    return this;
  }

  JsonOut put(String key, OptionalLong value) {
    value.ifPresent(present -> put(key, present));
    return this;
  }

  JsonOut put(String key, JsonOut value) {
    object.add(key, value.object);
    return this;
  }

  <T> JsonOut put(String key, Optional<T> value, Function<T, JsonOut> form) {
    value.ifPresent(present -> put(key, form.apply(present)));
    return this;
  }

  <T> JsonOut list(String key, List<T> values, Function<T, JsonOut> form) {
    var array = new JsonArray(values.size());
    values.forEach(value -> array.add(form.apply(value).object));
    object.add(key, array);
    return this;
  }

  JsonOut texts(String key, List<String> values) {
    var array = new JsonArray(values.size());
    values.forEach(array::add);
    object.add(key, array);
    return this;
  }

  JsonOut numbers(String key, List<Double> values) {
    var array = new JsonArray(values.size());
    values.forEach(value -> array.add(number(value)));
    object.add(key, array);
    return this;
  }

  JsonOut load(String key, ExpertLoad load) {
    var array = new JsonArray(load.experts());
    load.stream().forEach(array::add);
    object.add(key, array);
    return this;
  }

  /// All on one line, without its end.
  String line() {
    return object.toString();
  }

  /// For people: indented, with a line end.
  String page() {
    return new GsonBuilder().setPrettyPrinting().disableHtmlEscaping().create().toJson(object)
        + "\n";
  }
}
