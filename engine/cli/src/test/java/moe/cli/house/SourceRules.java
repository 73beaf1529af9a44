package moe.cli.house;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Rules about the text of source files: length, and notes that say why.
final class SourceRules {
  /// Lines of the longest file.
  static final int MOST_LINES = 300;

  private static final Set<String> LIMITED =
      Set.of("java", "cu", "cuh", "h", "c", "cl", "py", "js", "sh", "toml", "");

  // A note, then the reason in at least three words.
  private static final Pattern NOTE = Pattern.compile("\\b(?:TO" + "DO|FIX" + "ME)\\b(.*)");
  private static final Pattern REASON = Pattern.compile(":(\\s+\\S+){3,}.*");

  private SourceRules() {}

  /// The problems of one file, each `path:line: what is wrong`.
  static List<String> check(String path, List<String> lines) {
    var problems = new ArrayList<String>();
    if (LIMITED.contains(extension(path)) && lines.size() > MOST_LINES) {
      problems.add("%s: %d lines, more than %d".formatted(path, lines.size(), MOST_LINES));
    }
    for (int i = 0; i < lines.size(); i++) {
      Matcher note = NOTE.matcher(lines.get(i));
      if (note.find() && !REASON.matcher(note.group(1)).matches()) {
        problems.add("%s:%d: a note without a reason".formatted(path, i + 1));
      }
    }
    return problems;
  }

  private static String extension(String path) {
    String name = path.substring(path.lastIndexOf('/') + 1);
    return name.substring(name.indexOf('.') < 0 ? name.length() : name.lastIndexOf('.') + 1);
  }
}
