package moe.engine.config;

import java.util.Collection;
import java.util.Comparator;
import java.util.Locale;
import java.util.Optional;

/// Finds what a misspelt word was meant to be.
public final class Suggestion {
  private Suggestion() {}

  /// The candidate closest to `word`, if it is close enough to be a slip: at most a third of the
  /// letters differ, an exchange of two neighbours counting as one, and case, `-` and `_` counting
  /// as nothing.
  public static Optional<String> closest(String word, Collection<String> candidates) {
    String plain = plain(word);
    return candidates.stream()
        .filter(candidate -> distance(plain, plain(candidate)) <= limit(plain, plain(candidate)))
        .min(
            Comparator.<String>comparingInt(candidate -> distance(plain, plain(candidate)))
                .thenComparing(Comparator.naturalOrder()));
  }

  /// ` Did you mean X?` with its leading space, or nothing.
  public static String sentence(String word, Collection<String> candidates) {
    return closest(word, candidates).map(" Did you mean %s?"::formatted).orElse("");
  }

  private static String plain(String word) {
    String lower = word.toLowerCase(Locale.ROOT).replace("_", "").replace("-", "");
    return lower.substring(0, Math.min(lower.length(), 64)); // bounds the time for hostile words
  }

  private static int limit(String word, String candidate) {
    return Math.max(word.length(), candidate.length()) / 3;
  }

  /// Optimal string alignment distance.
  private static int distance(String a, String b) {
    int[][] cost = new int[a.length() + 1][b.length() + 1];
    for (int i = 0; i <= a.length(); i++) {
      for (int j = 0; j <= b.length(); j++) {
        if (i == 0 || j == 0) {
          cost[i][j] = i + j;
          continue;
        }
        int replaced = cost[i - 1][j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        int best = Math.min(replaced, 1 + Math.min(cost[i - 1][j], cost[i][j - 1]));
        if (i > 1
            && j > 1
            && a.charAt(i - 1) == b.charAt(j - 2)
            && a.charAt(i - 2) == b.charAt(j - 1)) {
          best = Math.min(best, cost[i - 2][j - 2] + 1);
        }
        cost[i][j] = best;
      }
    }
    return cost[a.length()][b.length()];
  }
}
