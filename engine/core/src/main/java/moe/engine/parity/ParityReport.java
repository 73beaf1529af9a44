package moe.engine.parity;

import java.util.List;

/// All comparisons of one checkpoint.
///
/// @param items in the order they were computed, at least one
/// @param ignored names in the reference that were not compared
/// @param rerouted tokens that took other experts, in formats of fewer bits than float32: they are
///   left out of what is compared, and with them gradients and steps of AdamW
public record ParityReport(List<ParityItem> items, List<String> ignored, int rerouted) {
  public ParityReport {
    items = List.copyOf(items);
    ignored = List.copyOf(ignored);
    if (items.isEmpty()) {
      throw new IllegalArgumentException("nothing was compared");
    }
  }

  /// Whether every item is within its tolerance.
  public boolean ok() {
    return items.stream().allMatch(ParityItem::ok);
  }
}
