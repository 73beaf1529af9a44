package moe.engine.config;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/// The `--set section.key=value` of a command line, as entries of the file they change.
///
/// A value is written as in the file, but a text, a word or a duration needs no quotes, and a list
/// no brackets.
final class Overrides {
  private Overrides() {}

  /// The entries of the file with those of the overrides in their place; the last override of a key
  /// wins.
  static List<Entry> apply(List<Entry> file, List<String> overrides, Problems problems) {
    List<Entry> all = new ArrayList<>(file);
    for (int i = 0; i < overrides.size(); i++) {
      Place place = Place.override(i + 1, overrides.get(i));
      try {
        Entry entry = entry(overrides.get(i), place);
        all.removeIf(other -> other.path().equals(entry.path()));
        all.add(entry);
      } catch (Flaw flaw) {
        problems.add(place, flaw.text());
      }
    }
    return all;
  }

  /// The value of an override as TOML.
  static String toml(KeySpec key, String bare) throws Flaw {
    if (key.type().quoted() && !isQuoted(bare) && !(key.orWhole() && bare.matches("\\d{1,9}"))) {
      return scan(Values.written(bare));
    }
    if (key.type() == ValueType.TEXTS && !bare.strip().startsWith("[")) {
      return List.of(bare.split(",")).stream()
          .map(String::strip)
          .map(part -> isQuoted(part) ? part : Values.written(part))
          .collect(Collectors.joining(", ", "[", "]"));
    }
    return scan(bare);
  }

  private static Entry entry(String override, Place place) throws Flaw {
    int equals = override.indexOf('=');
    int dot = override.indexOf('.');
    if (equals < 0 || dot < 0 || dot > equals) {
      throw new Flaw("write --set section.key=value, for example --set moe.top_k=1");
    }
    String section = override.substring(0, dot).strip();
    String key = override.substring(dot + 1, equals).strip();
    String bare = override.substring(equals + 1).strip();
    if (!section.matches("[A-Za-z0-9_-]{1,100}") || !key.matches("[A-Za-z0-9_-]{1,100}")) {
      throw new Flaw("section and key have letters, digits, _ and - only");
    }
    KeySpec spec = Schema.PIPELINE.section(section).flatMap(known -> known.key(key)).orElse(null);
    if (spec != null) {
      try {
        return new Entry(section, key, place, toml(spec, bare), bare);
      } catch (Flaw flaw) {
        throw new Flaw("[%s] %s: %s".formatted(section, key, flaw.text()));
      }
    }
    return new Entry(section, key, place, guessed(bare), bare);
  }

  /// The value of a key whose type is not known yet: TOML if it is, otherwise a text.
  private static String guessed(String bare) throws Flaw {
    try {
      return scan(bare);
    } catch (Flaw _) {
      return scan(Values.written(bare));
    }
  }

  private static String scan(String text) throws Flaw {
    if (text.chars().anyMatch(Character::isISOControl)) {
      throw new Flaw("control characters are not allowed");
    }
    Cursor cursor = new Cursor(text);
    String toml = new ValueScanner(cursor).scan();
    cursor.skipComment();
    if (!cursor.atEnd()) {
      throw new Flaw("\"%s\" after the value".formatted(Shown.text(cursor.until("").strip())));
    }
    return toml;
  }

  private static boolean isQuoted(String text) {
    return text.startsWith("\"") || text.startsWith("'");
  }
}
