package moe.engine.config;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import moe.engine.config.Schema.SectionSpec;
import moe.spi.error.ErrorKind;
import moe.spi.stage.OptionSpec;
import moe.spi.stage.Options;

/// Makes records of entries, and problems of what does not fit.
final class SettingsReader {
  private final StageCatalog catalog;
  private final Problems problems;
  private final Schema schema = Schema.PIPELINE;
  private final Map<String, Object> values = schema.defaults();
  private final Map<String, Entry> written = new HashMap<>();
  private final Set<String> faulty = new HashSet<>();
  private final Map<String, Options> options = new HashMap<>();
  private boolean onlyPlugins = true;

  SettingsReader(StageCatalog catalog, Problems problems) {
    this.catalog = catalog;
    this.problems = problems;
  }

  /// What comes of a file that could not be read.
  Reading nothing() {
    return new Reading.Invalid(problems.file().text(), problems.sorted(), ErrorKind.USAGE);
  }

  /// The entries whose keys a section has or a stage may have; the others are reported.
  List<Entry> known(List<Entry> entries, Map<String, Place> sections) {
    Set<String> reported = new HashSet<>();
    sections.forEach((name, place) -> requireSection(name, place, reported));
    List<Entry> known = new ArrayList<>();
    for (Entry entry : entries) {
      if (problems.full()) {
        break;
      }
      SectionSpec section = requireSection(entry.section(), entry.place(), reported).orElse(null);
      if (section == null) {
        continue;
      }
      if (section.open() || section.key(entry.key()).isPresent()) {
        known.add(entry);
      } else {
        unknownKey(entry, section.keyNames());
      }
    }
    return known;
  }

  /// The configuration, if nothing is wrong here and nothing was before.
  ///
  /// @param toml the values that TOML4J read
  Reading read(List<Entry> entries, Map<Entry, Object> toml) {
    boolean wellFormed = problems.isEmpty();
    Map<String, List<Entry>> own = new LinkedHashMap<>();
    for (Entry entry : entries) {
      SectionSpec section = schema.section(entry.section()).orElseThrow();
      section
          .key(entry.key())
          .ifPresentOrElse(
              key -> readValue(entry, key, toml),
              () -> own.computeIfAbsent(section.name(), _ -> new ArrayList<>()).add(entry));
    }
    checkNames("backend.prefer", "backend", catalog.backends());
    checkNames("energy.meter", "meter", catalog.meters());
    for (SectionSpec section : schema.sections()) {
      if (section.open()) {
        List<Entry> owned = own.getOrDefault(section.name(), List.of());
        options.put(section.name(), readOptions(section, owned, toml));
      }
    }
    List<Record> records =
        schema.sections().stream()
            .map(section ->
                schema.build(section, values, options.getOrDefault(section.name(), Options.NONE)))
            .toList();
    Rules.violations(records).forEach(this::report);
    if (problems.isEmpty()) {
      return new Reading.Valid(schema.config(records, new LinkedHashSet<>(written.keySet())));
    }
    return new Reading.Invalid(
        problems.file().text(),
        problems.sorted(),
        wellFormed && onlyPlugins ? ErrorKind.PLUGIN : ErrorKind.USAGE);
  }

  private Optional<SectionSpec> requireSection(String name, Place place, Set<String> reported) {
    Optional<SectionSpec> section = schema.section(name);
    if (section.isEmpty() && reported.add(name)) {
      String there = String.join(", ", schema.sectionNames());
      String suggestion =
          Suggestion.closest(name, schema.sectionNames())
              .map(" Did you mean [%s]?"::formatted)
              .orElse(" There are: " + there);
      problems.add(place, "[%s]: unknown section.%s".formatted(Shown.text(name), suggestion));
    }
    return section;
  }

  private void unknownKey(Entry entry, List<String> keys) {
    String suggestion = Suggestion.sentence(entry.key(), keys);
    if (suggestion.isEmpty()) {
      suggestion = elsewhere(entry.key());
    }
    if (suggestion.isEmpty()) {
      suggestion = " There are: " + String.join(", ", keys);
    }
    usage(
        entry.place(),
        "[%s] %s: unknown key.%s".formatted(entry.section(), entry.key(), suggestion));
  }

  /// A key of another section that may be meant.
  private String elsewhere(String word) {
    for (SectionSpec section : schema.sections()) {
      Optional<String> closest = Suggestion.closest(word, section.keyNames());
      if (closest.isPresent()) {
        return " Did you mean %s in [%s]?".formatted(closest.get(), section.name());
      }
    }
    return "";
  }

  private void readValue(Entry entry, KeySpec key, Map<Entry, Object> toml) {
    written.put(entry.path(), entry);
    Object value = value(entry, key, toml);
    try {
      values.put(entry.path(), Values.read(key, value));
    } catch (Flaw flaw) {
      faulty.add(entry.path());
      usage(entry.place(), shown(entry.path(), value) + ": " + flaw.text());
    }
  }

  /// What TOML4J read, or the bare text of an override where only a text can be meant.
  private static Object value(Entry entry, KeySpec key, Map<Entry, Object> toml) {
    Object value = toml.getOrDefault(entry, "");
    String bare = entry.bare();
    return bare != null && key.type().quoted() && !(value instanceof String) ? bare : value;
  }

  private Options readOptions(SectionSpec section, List<Entry> entries, Map<Entry, Object> toml) {
    String typePath = section.name() + ".type";
    if (faulty.contains(typePath)) {
      return Options.NONE;
    }
    String type = (String) values.getOrDefault(typePath, "");
    return switch (catalog.stage(section.name(), type)) {
      case StageCatalog.Installed(List<OptionSpec> specs) ->
          readOptions(section, specs.stream().map(KeySpec::of).toList(), entries, toml);
      case StageCatalog.Missing(String reason, ErrorKind kind) -> {
        onlyPlugins &= kind == ErrorKind.PLUGIN;
        problems.add(
            place(typePath),
            "[%s] type = \"%s\": %s".formatted(section.name(), Shown.text(type), reason));
        yield Options.NONE;
      }
    };
  }

  private Options readOptions(
      SectionSpec section, List<KeySpec> specs, List<Entry> entries, Map<Entry, Object> toml) {
    Map<String, Object> read = new LinkedHashMap<>();
    for (Entry entry : entries) {
      KeySpec key =
          specs.stream().filter(spec -> spec.name().equals(entry.key())).findFirst().orElse(null);
      if (key == null) {
        List<String> names = new ArrayList<>(section.keyNames());
        specs.forEach(spec -> names.add(spec.name()));
        unknownKey(entry, names);
      } else {
        readValue(entry, key, toml);
        Object value = values.remove(entry.path());
        if (value != null) {
          read.put(entry.key(), value);
        }
      }
    }
    return new Options(read);
  }

  /// Reports names in the value, one or a list of them, of things that are not installed.
  private void checkNames(String path, String what, List<String> installed) {
    if (faulty.contains(path)) {
      return;
    }
    Object value = values.getOrDefault(path, List.of());
    for (Object name : value instanceof List<?> several ? several : List.of(value)) {
      if (!installed.contains(name)) {
        faulty.add(path);
        usage(
            place(path),
            "[%s: no %s is called \"%s\"; there are: %s.%s"
                .formatted(
                    path.replace(".", "] "),
                    what,
                    Shown.text(name.toString()),
                    String.join(", ", installed),
                    Suggestion.sentence(name.toString(), installed)));
      }
    }
  }

  /// Reports a broken rule, unless a value it is about was reported already.
  private void report(Rules.Violation violation) {
    if (violation.keys().stream().noneMatch(faulty::contains)) {
      String blamed = violation.keys().getFirst();
      Place place =
          violation.keys().stream()
              .filter(written::containsKey)
              .map(this::place)
              .findFirst()
              .orElse(problems.file());
      usage(place, shown(blamed, values.getOrDefault(blamed, "")) + ": " + violation.text());
    }
  }

  /// For example `[moe] top_k = 5`.
  private static String shown(String path, Object value) {
    return "[%s = %s".formatted(path.replace(".", "] "), Shown.text(Values.written(value)));
  }

  private Place place(String path) {
    Entry entry = written.get(path);
    return entry == null ? problems.file() : entry.place();
  }

  private void usage(Place place, String text) {
    onlyPlugins = false;
    problems.add(place, text);
  }
}
