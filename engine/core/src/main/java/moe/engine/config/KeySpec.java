package moe.engine.config;

import java.lang.reflect.RecordComponent;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import moe.spi.stage.OptionSpec;

/// A key of a section: what may be written and what it means.
///
/// @param name as written, for example `top_k`
/// @param javaType what the value becomes
/// @param absent the default as an override would write it
/// @param unit of a number, or empty
/// @param least the smallest number allowed
/// @param most the largest number allowed
/// @param words the texts allowed; empty if any is
/// @param orWhole whether a text may be written as a whole number
/// @param summary one line for the reference page
record KeySpec(
    String name,
    ValueType type,
    Class<?> javaType,
    String absent,
    String unit,
    double least,
    double most,
    List<String> words,
    boolean orWhole,
    String summary) {

  /// The key that a record component with `@Key` describes.
  static KeySpec of(RecordComponent component, Key key) {
    Class<?> javaType = component.getType();
    boolean isInt = javaType == int.class;
    return new KeySpec(
        snakeCase(component.getName()),
        type(javaType),
        javaType,
        key.absent(),
        key.unit(),
        isInt ? Math.max(key.least(), Integer.MIN_VALUE) : key.least(),
        isInt ? Math.min(key.most(), Integer.MAX_VALUE) : key.most(),
        key.allowed().length > 0 ? List.of(key.allowed()) : words(javaType),
        key.orWhole(),
        key.value());
  }

  /// The key that a stage's factory declares; it has no default that the engine knows.
  static KeySpec of(OptionSpec option) {
    ValueType type =
        switch (option.type()) {
          case FLAG -> ValueType.FLAG;
          case WHOLE -> ValueType.WHOLE;
          case NUMBER -> ValueType.NUMBER;
          case TEXT -> option.allowed().isEmpty() ? ValueType.TEXT : ValueType.WORD;
        };
    Class<?> javaType =
        switch (option.type()) {
          case FLAG -> boolean.class;
          case WHOLE -> long.class;
          case NUMBER -> double.class;
          case TEXT -> String.class;
        };
    return new KeySpec(
        option.key(),
        type,
        javaType,
        "",
        "",
        option.least(),
        option.most(),
        option.allowed(),
        false,
        option.summary());
  }

  /// The word for a constant: `WEIGHTED_SUM` is `weighted-sum`.
  static String word(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  private static List<String> words(Class<?> javaType) {
    return javaType.isEnum()
        ? Arrays.stream(javaType.getEnumConstants()).map(c -> word((Enum<?>) c)).toList()
        : List.of();
  }

  private static ValueType type(Class<?> javaType) {
    if (javaType == int.class || javaType == long.class) {
      return ValueType.WHOLE;
    }
    if (javaType == double.class) {
      return ValueType.NUMBER;
    }
    if (javaType == boolean.class) {
      return ValueType.FLAG;
    }
    if (javaType == String.class) {
      return ValueType.TEXT;
    }
    if (javaType == List.class) {
      return ValueType.TEXTS;
    }
    if (javaType == Duration.class) {
      return ValueType.DURATION;
    }
    if (javaType.isEnum()) {
      return ValueType.WORD;
    }
    throw new IllegalArgumentException("no key has the type " + javaType);
  }

  private static String snakeCase(String camelCase) {
    return camelCase.replaceAll("([A-Z])", "_$1").toLowerCase(Locale.ROOT);
  }
}
