package moe.engine.config;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Splits a pipeline file into its keys and values, and reports every line that is not TOML as
/// pipeline files use it: sections in single brackets, plain keys, and values on one line or in
/// arrays.
///
/// TOML4J silently drops `top_k =`, accepts `007`, rejects `[a] # see [b]`, knows no lines and
/// overflows the stack on deep nesting; after this scanner it gets only what it reads well.
final class TomlScanner {
  /// Enough for any pipeline, and few enough for TOML4J, whose time grows with their square.
  static final int MAX_KEYS = 1000;

  private final Problems problems;
  private final Cursor cursor;
  private final Map<String, Integer> sectionLines = new HashMap<>();
  private final Map<String, Integer> keyLines = new HashMap<>();
  private final List<Entry> entries = new ArrayList<>();
  private final Map<String, Place> sections = new HashMap<>();
  private @Nullable String section;
  private boolean anyHeader;

  TomlScanner(String text, Problems problems) {
    this.cursor = new Cursor(text);
    this.problems = problems;
  }

  /// All keys that are well formed, in their order.
  List<Entry> scan() {
    while (!cursor.atEnd() && !problems.full()) {
      int line = cursor.line();
      Cursor.Mark start = cursor.mark();
      try {
        scanLine();
      } catch (Flaw flaw) {
        problems.atLine(line, flaw.text());
        recover(start);
      }
      cursor.skipLine();
      if (entries.size() + sections.size() > MAX_KEYS) {
        problems.atLine(line, "more than %d keys; no pipeline has so many".formatted(MAX_KEYS));
        break;
      }
    }
    return entries;
  }

  /// Where each section begins, by name; call after `scan`.
  Map<String, Place> sections() {
    return sections;
  }

  /// Goes back to the faulty line, or to the last line of a faulty array.
  private void recover(Cursor.Mark start) {
    boolean severalLines = cursor.line() > start.line();
    cursor.reset(start);
    while (severalLines && !cursor.atEnd()) {
      Cursor.Mark last = cursor.mark();
      cursor.skipLine();
      cursor.skipBlanks();
      if (cursor.peek() == '\n') {
        continue;
      }
      if (cursor.matchesLine(ValueScanner.START)) {
        cursor.reset(last);
        severalLines = false;
      }
    }
  }

  private void scanLine() throws Flaw {
    cursor.skipBlanks();
    char first = cursor.peek();
    if (first == '[') {
      scanHeader();
    } else if (!cursor.atEnd() && first != '\n' && first != '#') {
      scanKey();
    }
    cursor.skipComment();
    if (!cursor.atEnd() && cursor.peek() != '\n') {
      throw new Flaw(
          "\"%s\" after the value; a line holds one key, and a comment starts with #"
              .formatted(Shown.text(cursor.until("").strip())));
    }
  }

  private void scanHeader() throws Flaw {
    anyHeader = true;
    section = null; // of a header that cannot be read; its keys are passed over
    if (cursor.startsWith("[[")) {
      throw new Flaw("lists of sections are not used in pipeline files; write [section] once");
    }
    cursor.next();
    String name = cursor.until("]#").strip();
    if (!cursor.passes(']')) {
      throw new Flaw("[%s is not closed; write [section]".formatted(Shown.text(name)));
    }
    if (name.contains(".")) {
      throw new Flaw(
          "[%s]: sections inside sections are not used in pipeline files"
              .formatted(Shown.text(name)));
    }
    if (!isPlain(name)) {
      throw new Flaw(
          "[%s]: a section's name has letters, digits, _ and - only".formatted(Shown.text(name)));
    }
    Integer before = sectionLines.putIfAbsent(name, cursor.line());
    if (before != null) {
      problems.atLine(
          cursor.line(),
          "[%s] was opened before, on line %d; put its keys together".formatted(name, before));
    }
    sections.putIfAbsent(name, problems.line(cursor.line()));
    section = name;
  }

  private void scanKey() throws Flaw {
    int line = cursor.line();
    String key = cursor.until("=#").strip();
    if (key.length() > 1 && key.startsWith("\"") && key.endsWith("\"")) {
      key = key.substring(1, key.length() - 1);
    }
    String shown = Shown.text(key);
    if (!cursor.passes('=')) {
      throw new Flaw("\"%s\": write key = value, [section] or # comment".formatted(shown));
    }
    if (key.contains(".")) {
      throw new Flaw(
          "%s: dotted keys are not used in pipeline files; write [section] and below it the key"
              .formatted(shown));
    }
    if (!isPlain(key)) {
      throw new Flaw("\"%s\": a key has letters, digits, _ and - only".formatted(shown));
    }
    cursor.skipBlanks();
    String toml;
    try {
      toml = new ValueScanner(cursor).scan();
    } catch (Flaw flaw) {
      throw new Flaw(
          "%s: %s".formatted(section == null ? key : "[" + section + "] " + key, flaw.text()));
    }
    add(line, key, toml);
  }

  private void add(int line, String key, String toml) throws Flaw {
    if (section == null) {
      if (!anyHeader) {
        throw new Flaw("%s: before the first [section]; every key belongs to one".formatted(key));
      }
      return;
    }
    Integer before = keyLines.putIfAbsent(section + "." + key, line);
    if (before != null) {
      throw new Flaw("[%s] %s: was set before, on line %d".formatted(section, key, before));
    }
    entries.add(new Entry(section, key, problems.line(line), toml, null));
  }

  private static boolean isPlain(String name) {
    return name.length() <= 100 && name.matches("[A-Za-z0-9_-]+");
  }
}
