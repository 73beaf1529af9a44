package moe.engine.metrics;

import java.util.Locale;

/// A part of a step that has a clock of its own; forward and backward count together.
///
/// A phase that did not run, or cannot be told apart on a device, has no value.
public enum Phase {
  EMBEDDING("embedding"),
  /// Layer norms, and the sums of the residual stream.
  NORM("norms"),
  /// With the linear layers before and after it.
  ATTENTION("attention"),
  ROUTER("router"),
  DISPATCH("dispatch"),
  EXPERTS("experts"),
  COMBINE("combine"),
  /// Dispatch, experts and combine in one, where they are fused.
  FUSED_MOE("dispatch + experts + combine"),
  /// The feed-forward networks of a dense model.
  FEED_FORWARD("feed-forward"),
  /// The output head and the loss.
  HEAD("head"),
  /// Setting gradients to zero, their norm and clipping, AdamW, and balance.
  OPTIMIZER("optimizer");

  private final String label;

  Phase(String label) {
    this.label = label;
  }

  /// What people read.
  public String label() {
    return label;
  }

  /// The key in `metrics.jsonl`, for example `fused_moe`.
  public String key() {
    return name().toLowerCase(Locale.ROOT);
  }
}
