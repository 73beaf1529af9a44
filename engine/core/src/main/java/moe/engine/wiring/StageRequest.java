package moe.engine.wiring;

import moe.engine.config.BlockPath;
import moe.engine.config.PipelineConfig;
import moe.engine.config.StageSection;
import moe.spi.stage.Options;

/// Which stages the user wants in a MoE block.
public record StageRequest(
    BlockPath path, Named router, Named dispatcher, Named experts, Named combiner) {
  /// The stages that every backend has: a plain top-k router and a feed-forward network per expert.
  public static final StageRequest STANDARD =
      new StageRequest(
          BlockPath.AUTO,
          Named.of("topk"),
          Named.of("sorted"),
          Named.of("fused-ffn"),
          Named.of("weighted-sum"));

  /// The stages that a pipeline file asks for, with the settings of their sections.
  public static StageRequest of(PipelineConfig config) {
    return new StageRequest(
        config.moe().path(),
        Named.of(config.router()),
        Named.of(config.dispatcher()),
        Named.of(config.experts()),
        Named.of(config.combiner()));
  }

  /// The same stages on another path.
  public StageRequest on(BlockPath other) {
    return new StageRequest(other, router, dispatcher, experts, combiner);
  }

  /// A stage by the `type` in its section, with the section's other settings.
  public record Named(String type, Options options) {
    static Named of(StageSection section) {
      return new Named(section.type(), section.settings());
    }

    /// A stage without settings.
    public static Named of(String type) {
      return new Named(type, Options.NONE);
    }
  }
}
