package moe.engine.config;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/// Collects all problems of one file, so that they can be shown at once.
final class Problems {
  /// What is shown of a hopeless file.
  static final int MAX_SHOWN = 50;

  private static final int MAX_FOUND = 4 * MAX_SHOWN;

  private record Found(Place place, String text) {}

  private final String file;
  private final List<Found> found = new ArrayList<>();

  Problems(String file) {
    this.file = file;
  }

  void add(Place place, String text) {
    found.add(new Found(place, text));
  }

  /// Whether there are so many that looking for more is of no use.
  boolean full() {
    return found.size() >= MAX_FOUND;
  }

  void atLine(int line, String text) {
    add(Place.line(file, line), text);
  }

  void atFile(String text) {
    add(Place.file(file), text);
  }

  Place line(int line) {
    return Place.line(file, line);
  }

  Place file() {
    return Place.file(file);
  }

  boolean isEmpty() {
    return found.isEmpty();
  }

  /// The problems in the order of their places; of very many only the first.
  List<Problem> sorted() {
    List<Problem> all =
        new ArrayList<>(
            found.stream()
                .sorted(Comparator.comparing(Found::place))
                .limit(MAX_SHOWN)
                .map(problem -> new Problem(problem.place.text(), problem.text))
                .distinct()
                .toList());
    if (found.size() > MAX_SHOWN) {
      all.add(new Problem(file, "more problems follow; solve these first"));
    }
    return all;
  }
}
