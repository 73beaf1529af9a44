package moe.spi.stage;

import java.util.Map;

/// A stage's own settings from its section of the pipeline file, already checked for type.
///
/// @param values `Boolean`, `Long`, `Double`, `String` or `List` of them, by key
public record Options(Map<String, Object> values) {
  /// No settings.
  public static final Options NONE = new Options(Map.of());

  public Options {
    values = Map.copyOf(values);
  }

  /// A number, or the default where the key is absent.
  public double number(String key, double absent) {
    return values.get(key) instanceof Number number ? number.doubleValue() : absent;
  }

  /// A text, or the default where the key is absent.
  public String text(String key, String absent) {
    return values.get(key) instanceof String text ? text : absent;
  }

  /// A truth value, or the default where the key is absent.
  public boolean flag(String key, boolean absent) {
    return values.get(key) instanceof Boolean flag ? flag : absent;
  }
}
