package moe.engine.plugin;

import moe.spi.Factory;

/// A factory that loaded, with what the engine asked it once.
///
/// @param <F> its service type
/// @param factory ready for use
/// @param name what pipeline files call it
/// @param backend the backend it is written for, or `StageFactory.ANY_BACKEND`
/// @param source the jar it came from, or `class path`
public record Provider<F extends Factory>(F factory, String name, String backend, String source) {
  /// The source of providers that are no plugin's.
  public static final String CLASS_PATH = "class path";
}
