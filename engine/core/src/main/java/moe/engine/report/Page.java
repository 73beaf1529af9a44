package moe.engine.report;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/// The HTML page: the template of this package with styles, scripts and data put in.
///
/// All that comes from a run is JSON inside a data block, with `<`, `>`, `&` and quotes escaped;
/// the page's script shows it as text, never as markup. The page's content security policy allows
/// the two scripts by their hashes and nothing else: no network, no other script.
final class Page {
  // Gson escapes < > & = and quotes of its own accord, so no text can end the data block.
  private static final Gson JSON = new GsonBuilder().serializeNulls().create();
  private static final List<String> SCRIPTS =
      List.of("theme.js", "charts.js", "routing-charts.js", "page.js");

  private Page() {}

  static String of(PageData data) {
    return of("report.html", SCRIPTS, data);
  }

  /// A page of another kind.
  ///
  /// @param template and `scripts` of this package
  static String of(String template, List<String> scripts, Object data) {
    String library = resource("echarts.min.js");
    String script = scripts.stream().map(Page::resource).collect(Collectors.joining("\n"));
    return fill(
        resource(template),
        Map.of(
            "policy", policy(library, script),
            "style", resource("report.css"),
            "data", JSON.toJson(data),
            "library", library,
            "script", script));
  }

  private static String policy(String... scripts) {
    String hashes = List.of(scripts).stream().map(Page::hash).collect(Collectors.joining(" "));
    return "default-src 'none'; script-src %s; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
        .formatted(hashes);
  }

  private static String hash(String script) {
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256").digest(script.getBytes(StandardCharsets.UTF_8));
      return "'sha256-" + Base64.getEncoder().encodeToString(digest) + "'";
    } catch (NoSuchAlgorithmException impossible) { // every Java has SHA-256
      throw new IllegalStateException(impossible);
    }
  }

  /// Replaces each `{{name}}` once, in one pass: what is put in is not looked at again.
  private static String fill(String template, Map<String, String> parts) {
    var page = new StringBuilder();
    int position = 0;
    for (int mark = template.indexOf("{{"); mark >= 0; mark = template.indexOf("{{", position)) {
      int end = template.indexOf("}}", mark);
      String part = parts.get(template.substring(mark + 2, end));
      if (part == null) {
        throw new IllegalStateException("no part for " + template.substring(mark, end + 2));
      }
      page.append(template, position, mark).append(part);
      position = end + 2;
    }
    return page.append(template, position, template.length()).toString();
  }

  private static String resource(String name) {
    try (InputStream in = Page.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IllegalStateException("the engine was packed without " + name);
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
