package moe.engine.config;

import org.jspecify.annotations.Nullable;

/// A key with its value, as written.
///
/// @param toml the value in a plain form of TOML, see `ValueScanner`, texts in single quotes if
///   possible
/// @param bare the text of an override, which needs no quotes; null in a file
record Entry(String section, String key, Place place, String toml, @Nullable String bare) {
  /// For example `moe.top_k`.
  String path() {
    return section + "." + key;
  }
}
