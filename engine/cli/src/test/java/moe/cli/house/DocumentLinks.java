package moe.cli.house;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The relative links of a Markdown document, and those of them that lead nowhere.
final class DocumentLinks {
  private static final Pattern LINK =
      Pattern.compile("\\]\\(([^)\\s]+)\\)|(?:src|href|srcset)=\"([^\"]+)\"");
  private static final Pattern ELSEWHERE = Pattern.compile("[a-z][a-z0-9+.-]*:.*");
  private static final Pattern CODE =
      Pattern.compile("(?ms)^```.*?^```|(?<=\n\n)(?: {4}[^\n]*\n?)+|`[^`\n]*`");
  private static final Pattern HEADING = Pattern.compile("(?m)^#+ (.*)$");

  private DocumentLinks() {}

  /// Relative links, as written.
  static List<String> of(Path document) throws IOException {
    List<String> links = new ArrayList<>();
    Matcher matcher = LINK.matcher(CODE.matcher(Files.readString(document)).replaceAll(""));
    while (matcher.find()) {
      String link = matcher.group(1) == null ? matcher.group(2) : matcher.group(1);
      if (!ELSEWHERE.matcher(link).matches()) {
        links.add(link);
      }
    }
    return links;
  }

  /// Those whose file, or heading in it, does not exist below `root`.
  static List<String> broken(Path root, Path document) throws IOException {
    List<String> broken = new ArrayList<>();
    for (String link : of(document)) {
      if (!leadsSomewhere(root, document, link)) {
        broken.add(root.relativize(document) + ": " + link);
      }
    }
    return broken;
  }

  private static boolean leadsSomewhere(Path root, Path document, String link) throws IOException {
    int hash = link.indexOf('#');
    String file = hash < 0 ? link : link.substring(0, hash);
    Path target = file.isEmpty() ? document : document.resolveSibling(file).normalize();
    if (file.startsWith("/") || !target.startsWith(root) || !Files.exists(target)) {
      return false;
    }
    return hash < 0 || anchors(target).contains(link.substring(hash + 1));
  }

  /// What GitHub makes of the headings.
  private static List<String> anchors(Path document) throws IOException {
    return HEADING
        .matcher(Files.readString(document))
        .results()
        .map(heading ->
            heading
                .group(1)
                .toLowerCase(Locale.ROOT)
                .replaceAll("[^\\p{L}\\p{N} _-]", "")
                .replace(' ', '-'))
        .toList();
  }
}
