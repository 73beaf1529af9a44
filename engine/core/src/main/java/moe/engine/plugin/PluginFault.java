package moe.engine.plugin;

import org.jspecify.annotations.Nullable;

/// Why a jar, or a provider in it, is not in use.
///
/// @param source the jar or directory, or `class path`
/// @param service the service type it was to serve, null if that is unknown
/// @param name the name it would have, null if that is unknown
/// @param reason one line: what is wrong, what is required, what to do
/// @param cause what was thrown, if anything
public record PluginFault(
    String source,
    @Nullable Class<?> service,
    @Nullable String name,
    String reason,
    @Nullable Throwable cause) {
  /// Whether this fault may be the reason why no provider of `wantedName` was found.
  boolean mayExplain(Class<?> wantedService, String wantedName) {
    return (service == null || service == wantedService)
        && (name == null || name.equals(wantedName));
  }

  /// For example `plugins/fast/fast.jar: com.example.Fast: its constructor threw …`.
  @Override
  public String toString() {
    return source + ": " + reason;
  }
}
