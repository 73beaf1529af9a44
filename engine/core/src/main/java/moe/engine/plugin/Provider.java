package moe.engine.plugin;

import java.util.List;
import moe.spi.Factory;
import moe.spi.stage.OptionSpec;

/// A factory that loaded, with what the engine asked it once.
///
/// @param <F> its service type
/// @param factory ready for use
/// @param name what pipeline files call it
/// @param backend the backend it is written for, or `StageFactory.ANY_BACKEND`
/// @param options the settings that a stage reads from its section, beyond those of its kind
/// @param source the jar it came from, or `class path`
public record Provider<F extends Factory>(
    F factory, String name, String backend, List<OptionSpec> options, String source) {
  /// The source of providers that are no plugin's.
  public static final String CLASS_PATH = "class path";

  public Provider {
    options = List.copyOf(options);
  }
}
