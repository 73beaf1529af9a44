package moe.engine.config;

import moe.spi.stage.Options;

/// A section that chooses a stage by `type` and may hold settings that only that stage knows.
public sealed interface StageSection
    permits RouterSection, DispatcherSection, ExpertsSection, CombinerSection {
  /// The name of the stage's factory.
  String type();

  /// The settings that only this type has, checked against what its factory declares.
  Options options();

  /// All settings of the section but `type`: what the stage gets.
  default Options settings() {
    return Schema.PIPELINE.settings(this);
  }
}
