package moe.cli;

import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import moe.engine.generate.Generation;

/// Shows prompts and what became of them: as text while it comes, or as JSON when it is complete.
final class GeneratedText {
  private final PrintWriter out;
  private final PrintWriter err;
  private final boolean json;
  private boolean first = true;

  GeneratedText(PrintWriter out, PrintWriter err, boolean json) {
    this.out = out;
    this.err = err;
    this.json = json;
  }

  void begin(String prompt) {
    if (!json) {
      out.print((first ? "" : "\n") + harmless(prompt));
      out.flush();
    }
    first = false;
  }

  void piece(String text) {
    if (!json) {
      out.print(harmless(text));
      out.flush();
    }
  }

  void end(String prompt, Generation generation) {
    out.println(json ? object(prompt, generation) : "");
    out.flush();
    switch (generation.stop()) {
      case END_OF_TEXT -> err.println("stopped: the model ended the text");
      case POSITIONS ->
          err.printf(
              Locale.ROOT,
              "stopped: prompt and text fill all %,d positions of the model (n_positions)%n",
              generation.promptTokens().size() + generation.tokens().size());
      case MAX_TOKENS -> {} // as asked for
    }
    err.println(speed(generation));
  }

  private static String speed(Generation generation) {
    String prompt =
        "prompt: %,d tokens, %,.1f tokens/s"
            .formatted(generation.promptTokens().size(), generation.promptTokensPerSecond());
    return generation.choices() < 2
        ? prompt
        : prompt
            + "; text: %,d tokens, %,.1f tokens/s"
                .formatted(generation.tokens().size(), generation.decodeTokensPerSecond());
  }

  private static String object(String prompt, Generation generation) {
    Map<String, Object> object = new LinkedHashMap<>();
    object.put("prompt", prompt);
    object.put("text", generation.text());
    object.put("stop", generation.stop().name().toLowerCase(Locale.ROOT));
    object.put("prompt_tokens", generation.promptTokens());
    object.put("tokens", generation.tokens());
    object.put("prompt_seconds", generation.promptNanos() / 1e9);
    object.put("text_seconds", generation.decodeNanos() / 1e9);
    return Json.line(object);
  }

  /// Without the control characters that could move a terminal's cursor or change its settings.
  private static String harmless(String text) {
    return text.replaceAll("[\\p{Cc}&&[^\\n\\t]]", "\uFFFD");
  }
}
