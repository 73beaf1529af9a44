package moe.engine.config;

import java.util.Map;
import java.util.TreeMap;
import moe.engine.config.Schema.SectionSpec;

/// Writes a configuration as the pipeline file that it follows from.
final class ResolvedText {
  private ResolvedText() {}

  static String of(PipelineConfig config) {
    StringBuilder text = new StringBuilder();
    for (Record section : Schema.PIPELINE.records(config)) {
      SectionSpec spec = Schema.PIPELINE.section(section.getClass());
      text.append(text.isEmpty() ? "" : "\n").append('[').append(spec.name()).append("]\n");
      append(text, Schema.PIPELINE.values(section));
      if (section instanceof StageSection stage) {
        append(text, new TreeMap<>(stage.options().values())); // for equal files of equal runs
      }
    }
    return text.toString();
  }

  private static void append(StringBuilder text, Map<String, Object> values) {
    values.forEach(
        (key, value) -> text.append(key).append(" = ").append(Values.written(value)).append('\n'));
  }
}
