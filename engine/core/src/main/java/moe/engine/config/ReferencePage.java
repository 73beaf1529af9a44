package moe.engine.config;

import moe.engine.config.Schema.SectionSpec;

/// Writes `docs/pipeline-file.md`, the reference of all keys, from their descriptions.
final class ReferencePage {
  private static final String HEAD =
      """
      # The pipeline file

      Generated from the records of `moe.engine.config`; a test keeps it fresh. Change the records, then run
      `mvn -pl engine/core -am test -Dtest=ReferencePageTest -Dmoe.docs=write -Dsurefire.failIfNoSpecifiedTests=false`.

      A pipeline file is TOML: sections in single brackets, `key = value`, comments after `#`. Texts stand in quotes on
      one line; lists may span lines. Every key may be left out, and unknown keys and sections are errors.
      `moe-engine validate FILE` shows all problems at once; `--set section.key=value` overrides a key, checked the same
      way. There a text needs no quotes and a list no brackets: `--set backend.prefer=cuda,cpu`.
      FILE is a regular file, or what the shell hands over as `/dev/stdin` or `<(…)`; another pipe is refused, as it might
      be waited for without end.
      """;

  private ReferencePage() {}

  static String text() {
    StringBuilder page = new StringBuilder(HEAD);
    for (SectionSpec section : Schema.PIPELINE.sections()) {
      page.append("\n## [").append(section.name()).append("]\n\n");
      page.append(section.summary()).append("\n\n");
      page.append(
          "| key | type | default | allowed | unit | meaning |\n|---|---|---|---|---|---|\n");
      for (KeySpec key : section.keys()) {
        page.append(row(key));
      }
    }
    return page.toString();
  }

  private static String row(KeySpec key) {
    String range = Values.range(key);
    return "| `%s` | %s | `%s` | %s | %s | %s |\n"
        .formatted(
            key.name(),
            noun(key.type()),
            Values.written(Values.absent(key)),
            range == null ? "" : range,
            key.unit(),
            key.summary().replace("|", "\\|"));
  }

  private static String noun(ValueType type) {
    return switch (type) {
      case WHOLE -> "whole number";
      case NUMBER -> "number";
      case FLAG -> "flag";
      case TEXT -> "text";
      case TEXTS -> "list of texts";
      case WORD -> "word";
      case DURATION -> "duration";
    };
  }
}
