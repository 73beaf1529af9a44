package moe.engine.compare;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;

/// A variant of the pipeline.
///
/// @param name unique among the arms
/// @param overrides each `section.key=value`
public record Arm(String name, List<String> overrides) {
  public Arm {
    overrides = List.copyOf(overrides);
  }

  /// The arms of `compare.arms`.
  ///
  /// @param file its name, for messages
  /// @throws MoeException kind `USAGE` if there are fewer than two, or one is malformed
  public static List<Arm> of(String file, List<String> texts) {
    List<Arm> arms = new ArrayList<>();
    Set<String> names = new LinkedHashSet<>();
    for (String text : texts) {
      Arm arm = parse(file, text);
      if (!names.add(arm.name())) {
        throw error(file, "the name \"%s\" stands for two arms; give each its own", arm.name());
      }
      arms.add(arm);
    }
    if (arms.size() < 2) {
      throw error(
          file,
          "%s: compare needs two arms, for example [\"baseline: moe.path=baseline\", \"fused:"
              + " moe.path=fused\"]",
          arms.size() + " named");
    }
    return arms;
  }

  private static Arm parse(String file, String text) {
    int colon = text.indexOf(':');
    String name = colon < 0 ? "" : text.substring(0, colon).strip();
    if (!name.matches("[A-Za-z0-9][A-Za-z0-9 ._+-]{0,39}")) {
      throw error(file, "\"%s\": write \"name: section.key=value; section.key=value\"", text);
    }
    List<String> overrides = new ArrayList<>();
    for (String part : text.substring(colon + 1).split(";", -1)) {
      if (!part.isBlank()) {
        overrides.add(part.strip());
      }
    }
    return new Arm(name, overrides);
  }

  private static MoeException error(String file, String text, String value) {
    return new MoeException(
        ErrorKind.USAGE, "%s: [compare] arms: %s".formatted(file, text.formatted(value)));
  }
}
