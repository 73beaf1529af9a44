package moe.engine.parity;

import java.util.List;

/// All comparisons of one checkpoint.
///
/// @param items in the order they were computed, at least one
/// @param ignored names in the reference that the engine cannot compare
public record ParityReport(List<ParityItem> items, List<String> ignored) {
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
