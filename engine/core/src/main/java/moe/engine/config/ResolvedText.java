package moe.engine.config;

/// Writes a configuration as the pipeline file that it follows from.
final class ResolvedText {
  private ResolvedText() {}

  static String of(PipelineConfig config) {
    StringBuilder text = new StringBuilder();
    Schema.PIPELINE
        .toMap(config)
        .forEach((section, values) -> {
          text.append(text.isEmpty() ? "" : "\n").append('[').append(section).append("]\n");
          values.forEach((key, value) ->
              text.append(key).append(" = ").append(Values.written(value)).append('\n'));
        });
    return text.toString();
  }
}
