package moe.engine.wiring;

import moe.engine.config.BlockPath;
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

  /// The same stages on another path.
  public StageRequest on(BlockPath other) {
    return new StageRequest(other, router, dispatcher, experts, combiner);
  }

  /// A stage by the `type` in its section, with the section's other settings.
  public record Named(String type, Options options) {
    /// A stage without settings.
    public static Named of(String type) {
      return new Named(type, Options.NONE);
    }
  }
}
