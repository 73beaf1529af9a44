package moe.engine.metrics;

import java.util.List;

/// What was installed.
///
/// @param engine the version of this engine
/// @param java the version of the Java that ran it
/// @param plugins name and version of each plugin that was loaded
public record Versions(String engine, String java, List<String> plugins) {
  public Versions {
    plugins = List.copyOf(plugins);
  }

  /// This process, with these plugins.
  ///
  /// @param engine `unpackaged` when run from class files
  public static Versions here(String engine, List<String> plugins) {
    return new Versions(
        engine, "%s (%s)".formatted(Runtime.version(), System.getProperty("java.vendor")), plugins);
  }
}
