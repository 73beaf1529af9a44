package moe.engine.metrics;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import com.google.gson.stream.MalformedJsonException;
import java.io.EOFException;
import java.io.IOException;
import java.io.StringReader;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Stream;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import org.jspecify.annotations.Nullable;

/// A JSON object read strictly: every key must be there, be of its type, and be asked for.
final class JsonIn {
  private static final Set<String> NOT_FINITE = Set.of("NaN", "Infinity", "-Infinity");

  private final String place;
  private final JsonObject object;
  private final Set<String> used = new HashSet<>();

  private JsonIn(String place, JsonObject object) {
    this.place = place;
    this.object = object;
  }

  /// Reads a text that holds one object and nothing else.
  ///
  /// @param place file and line, for errors
  /// @param use turns the object into a record; keys that it leaves are an error
  static <T> T read(String place, String text, Function<JsonIn, T> use) {
    try (JsonReader reader = new JsonReader(new StringReader(text))) {
      reader.setStrictness(Strictness.STRICT);
      JsonElement element = JsonParser.parseReader(reader);
      if (reader.peek() != JsonToken.END_DOCUMENT) {
        throw damaged(place, "text behind the end of the object", null);
      }
      return new JsonIn(place, asObject(place, element)).finish(use);
    } catch (JsonParseException | MalformedJsonException | EOFException broken) {
      throw damaged(place, "not valid JSON", broken);
    } catch (IOException impossible) { // a reader of a string does no input
      throw new IllegalStateException(impossible);
    }
  }

  static MoeException damaged(String place, String what, @Nullable Throwable cause) {
    return new MoeException(
        ErrorKind.DATA,
        "%s: %s; the file is damaged or of another version of the engine".formatted(place, what),
        cause);
  }

  private <T> T finish(Function<JsonIn, T> use) {
    T value;
    try {
      value = use.apply(this);
    } catch (IllegalArgumentException refused) { // a record that checks itself
      throw damaged(place, String.valueOf(refused.getMessage()), refused);
    }
    for (String key : object.keySet()) {
      if (!used.contains(key)) {
        throw damaged(place, "unknown key \"%s\"".formatted(key), null);
      }
    }
    return value;
  }

  String text(String key) {
    JsonPrimitive value = primitive(key);
    if (!value.isString()) {
      throw expected(key, "a text");
    }
    return value.getAsString();
  }

  double number(String key) {
    JsonPrimitive value = primitive(key);
    if (!value.isNumber() && !NOT_FINITE.contains(value.getAsString())) {
      throw expected(key, "a number");
    }
    return Double.parseDouble(value.getAsString());
  }

  long whole(String key) {
    return whole(key, primitive(key));
  }

  int integer(String key) {
    long value = whole(key);
    if (value != (int) value) {
      throw expected(key, "a number of 32 bits");
    }
    return (int) value;
  }

  OptionalDouble maybeNumber(String key) {
    return has(key) ? OptionalDouble.of(number(key)) : OptionalDouble.empty();
  }

  OptionalLong maybeWhole(String key) {
    return has(key) ? OptionalLong.of(whole(key)) : OptionalLong.empty();
  }

  <T> T object(String key, Function<JsonIn, T> use) {
    String inner = place + ": " + key;
    return new JsonIn(inner, asObject(inner, element(key))).finish(use);
  }

  <T> Optional<T> maybeObject(String key, Function<JsonIn, T> use) {
    return has(key) ? Optional.of(object(key, use)) : Optional.empty();
  }

  <T> List<T> objects(String key, Function<JsonIn, T> use) {
    var values = new ArrayList<T>();
    for (JsonElement element : array(key)) {
      String inner = "%s: %s[%d]".formatted(place, key, values.size());
      values.add(new JsonIn(inner, asObject(inner, element)).finish(use));
    }
    return values;
  }

  List<String> texts(String key) {
    var values = new ArrayList<String>();
    for (JsonElement element : array(key)) {
      if (!(element instanceof JsonPrimitive value) || !value.isString()) {
        throw expected(key, "texts");
      }
      values.add(value.getAsString());
    }
    return values;
  }

  List<Double> numbers(String key) {
    var values = new ArrayList<Double>();
    for (JsonElement element : array(key)) {
      if (!(element instanceof JsonPrimitive value) || !value.isNumber()) {
        throw expected(key, "numbers");
      }
      values.add(value.getAsDouble());
    }
    return values;
  }

  ExpertLoad load(String key) {
    List<JsonElement> elements = array(key);
    int[] counts = new int[elements.size()];
    for (int i = 0; i < counts.length; i++) {
      long count = elements.get(i) instanceof JsonPrimitive value ? whole(key, value) : -1;
      if (count < 0 || count > Integer.MAX_VALUE) {
        throw expected(key, "counts");
      }
      counts[i] = (int) count;
    }
    return ExpertLoad.of(counts);
  }

  /// The constant whose key is the text of `key`.
  <E> E choice(String key, E[] constants, Function<E, String> name) {
    String text = text(key);
    return Stream.of(constants)
        .filter(constant -> name.apply(constant).equals(text))
        .findFirst()
        .orElseThrow(() -> expected(key, "one of " + Stream.of(constants).map(name).toList()));
  }

  boolean has(String key) {
    return object.has(key);
  }

  private long whole(String key, JsonPrimitive value) {
    try {
      if (value.isNumber()) {
        return new BigDecimal(value.getAsString()).longValueExact();
      }
    } catch (ArithmeticException | NumberFormatException _) {
      // a fraction, or too large
    }
    throw expected(key, "a whole number");
  }

  private JsonPrimitive primitive(String key) {
    if (element(key) instanceof JsonPrimitive value) {
      return value;
    }
    throw expected(key, "a single value");
  }

  private List<JsonElement> array(String key) {
    JsonElement value = element(key);
    if (!value.isJsonArray()) {
      throw expected(key, "a list");
    }
    return value.getAsJsonArray().asList();
  }

  private JsonElement element(String key) {
    JsonElement value = object.get(key);
    if (value == null) {
      throw damaged(place, "the key \"%s\" is missing".formatted(key), null);
    }
    used.add(key);
    return value;
  }

  private MoeException expected(String key, String what) {
    return damaged(place, "%s: expected %s".formatted(key, what), null);
  }

  private static JsonObject asObject(String place, JsonElement element) {
    if (!element.isJsonObject()) {
      throw damaged(place, "expected an object", null);
    }
    return element.getAsJsonObject();
  }
}
