package moe.engine.config;

import java.util.List;
import moe.spi.error.ErrorKind;
import moe.spi.stage.OptionSpec;

/// What is installed: the backends, the energy meters, and the stages with their settings.
public interface StageCatalog {
  /// Backends that belong to the engine: to ask for one that is not installed is no misspelling.
  List<String> STANDARD_BACKENDS = List.of("cuda", "opencl", "cpu");

  /// Energy meters that are the engine's own, and words that choose or leave out one.
  List<String> STANDARD_METERS = List.of("auto", "none", "estimated");

  /// The names of the backends that may be asked for.
  List<String> backends();

  /// What `[energy] meter` may say.
  List<String> meters();

  /// The stage that `type` in this section means.
  ///
  /// @param section `router`, `dispatcher`, `experts` or `combiner`
  Entry stage(String section, String type);

  /// What is known about a stage.
  sealed interface Entry {}

  /// It is installed.
  ///
  /// @param options the settings it takes beyond those of every stage of its kind
  record Installed(List<OptionSpec> options) implements Entry {}

  /// It is not.
  ///
  /// @param reason one line with the names that are
  /// @param kind `PLUGIN` if a plugin that did not load may have it, otherwise `USAGE`
  record Missing(String reason, ErrorKind kind) implements Entry {}
}
