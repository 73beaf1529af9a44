package moe.engine.config;

import java.math.BigDecimal;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// Values of keys: from TOML to checked Java and back.
final class Values {
  private Values() {}

  /// The Java value of what TOML4J read, in the range of its key.
  ///
  /// @param toml `Boolean`, `Long`, `Double`, `String` or `List`
  static Object read(KeySpec key, Object toml) throws Flaw {
    return switch (key.type()) {
      case WHOLE -> whole(key, toml);
      case NUMBER -> number(key, toml);
      case FLAG -> typed(key, toml, Boolean.class);
      case TEXT -> text(key, toml);
      case TEXTS -> texts(key, toml);
      case WORD -> word(key, typed(key, toml, String.class));
      case DURATION -> duration(key, typed(key, toml, String.class));
    };
  }

  /// The default of a key.
  static Object absent(KeySpec key) {
    String text = key.absent();
    Object toml =
        switch (key.type()) {
          case WHOLE -> Long.valueOf(text);
          case NUMBER -> Double.valueOf(text);
          case FLAG -> Boolean.valueOf(text);
          case TEXT, WORD, DURATION -> text;
          case TEXTS -> text.isEmpty() ? List.of() : List.of(text.split(", "));
        };
    try {
      return read(key, toml);
    } catch (Flaw flaw) {
      throw new IllegalStateException("default of " + key.name() + ": " + flaw.text(), flaw);
    }
  }

  /// What is wrong with a value that did not come from a file, if anything.
  static Optional<String> flaw(KeySpec key, Object value) {
    try {
      var _ = read(key, toml(value));
      return Optional.empty();
    } catch (Flaw flaw) {
      return Optional.of(flaw.text());
    }
  }

  /// The value as TOML4J would give it: numbers as `Long` or `Double`, words and durations as text.
  static Object toml(Object value) {
    return switch (value) {
      case Integer number -> number.longValue();
      case Enum<?> word -> KeySpec.word(word);
      case Duration duration -> Durations.text(duration);
      default -> value;
    };
  }

  /// The value as a pipeline file writes it.
  static String written(Object value) {
    return switch (toml(value)) {
      case String text -> '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
      case Double number -> written(number.doubleValue());
      case List<?> list ->
          list.stream().map(Values::written).collect(Collectors.joining(", ", "[", "]"));
      case Object plain -> plain.toString();
    };
  }

  private static String written(double number) {
    double size = Math.abs(number);
    return size == 0 || (size >= 1e-9 && size < 1e15)
        ? ValueScanner.plain(number)
        : Double.toString(number);
  }

  /// What may be written, for messages and the reference page; null if anything of the type may.
  static @Nullable String range(KeySpec key) {
    if (!key.words().isEmpty()) {
      return (key.words().size() > 1 ? "one of " : "") + String.join(", ", key.words());
    }
    boolean number = key.type() == ValueType.WHOLE || key.type() == ValueType.NUMBER;
    boolean limited =
        key.least() > Double.NEGATIVE_INFINITY || key.most() < Double.POSITIVE_INFINITY;
    if (!number || !limited) {
      return null;
    }
    // A limit that only keeps the number within its Java type is no news.
    boolean most = key.most() < Integer.MAX_VALUE;
    return most
        ? "between %s and %s".formatted(limit(key.least()), limit(key.most()))
        : "at least " + limit(key.least());
  }

  private static Object whole(KeySpec key, Object toml) throws Flaw {
    Long number = typed(key, toml, Long.class);
    inRange(key, number);
    return key.javaType() == int.class ? (Object) number.intValue() : number;
  }

  private static Object number(KeySpec key, Object toml) throws Flaw {
    double number = typed(key, toml, Number.class).doubleValue();
    inRange(key, number);
    return number;
  }

  private static void inRange(KeySpec key, double number) throws Flaw {
    if (!(number >= key.least() && number <= key.most())) {
      String range = range(key);
      throw new Flaw(
          "must be "
              + (range == null || number > key.most()
                  ? "between %s and %s".formatted(limit(key.least()), limit(key.most()))
                  : range));
    }
  }

  private static Object text(KeySpec key, Object toml) throws Flaw {
    String text =
        key.orWhole() && toml instanceof Long whole
            ? whole.toString()
            : typed(key, toml, String.class);
    return key.words().isEmpty() ? text : oneOf(key, text);
  }

  private static Object texts(KeySpec key, Object toml) throws Flaw {
    List<?> list = typed(key, toml, List.class);
    for (Object element : list) {
      var _ = typed(key, element, String.class);
    }
    return List.copyOf(list);
  }

  private static Object word(KeySpec key, String text) throws Flaw {
    String word = oneOf(key, text);
    if (key.javaType().isEnum()) {
      for (Object constant : key.javaType().getEnumConstants()) {
        if (KeySpec.word((Enum<?>) constant).equals(word)) {
          return constant;
        }
      }
      throw new IllegalStateException(key.name() + " allows " + word + ", which is no constant");
    }
    return word;
  }

  private static String oneOf(KeySpec key, String text) throws Flaw {
    if (!key.words().contains(text)) {
      String suggestion = Suggestion.sentence(text, key.words());
      throw new Flaw("must be " + range(key) + (suggestion.isEmpty() ? "" : "." + suggestion));
    }
    return text;
  }

  private static Object duration(KeySpec key, String text) throws Flaw {
    return Durations.parse(text).orElseThrow(() -> new Flaw("must be " + key.type().noun()));
  }

  private static <T> T typed(KeySpec key, Object toml, Class<T> type) throws Flaw {
    if (!type.isInstance(toml)) {
      String range = key.words().isEmpty() ? null : range(key);
      throw new Flaw("must be " + (range == null ? key.type().noun() : range));
    }
    return type.cast(toml);
  }

  private static String limit(double limit) {
    return BigDecimal.valueOf(limit).stripTrailingZeros().toPlainString();
  }
}
