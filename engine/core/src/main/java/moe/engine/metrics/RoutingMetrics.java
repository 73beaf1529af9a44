package moe.engine.metrics;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Counts where the tokens of a step went, layer by layer.
///
/// `clear` at the start of a step, `add` for each layer (and each part of an accumulated batch),
/// then `layers`. `clear` and `add` allocate nothing. Not for several threads.
public final class RoutingMetrics {
  private final int experts;
  private final int topK;
  private final int[][] load; // [layers, experts]
  private final boolean[][] first; // [layers, experts]: some token's first choice

  /// Counters for a model of this shape, all at zero.
  public RoutingMetrics(int layers, int experts, int topK) {
    this.experts = (int) Check.least("experts", experts, 1);
    this.topK = (int) Check.within("topK", topK, 1, experts);
    load = new int[(int) Check.least("layers", layers, 0)][experts];
    first = new boolean[layers][experts];
  }

  /// Forgets all counts.
  public void clear() {
    for (int layer = 0; layer < load.length; layer++) {
      Arrays.fill(load[layer], 0);
      Arrays.fill(first[layer], false);
    }
  }

  /// Counts the routing of a batch in one layer.
  ///
  /// @param expertIds I32 `[tokens, topK]`, best first; −1 marks an unused slot
  /// @throws IllegalArgumentException if an id is no expert
  public void add(int layer, int[] expertIds, int tokens) {
    for (int slot = 0; slot < tokens * topK; slot++) {
      count(layer, slot, expertIds[slot]);
    }
  }

  /// Counts the routing of a batch in one layer.
  ///
  /// @param expertIds I32 `[tokens, topK]` in native byte order, as a device's download leaves it
  /// @throws IllegalArgumentException if an id is no expert
  public void add(int layer, MemorySegment expertIds, int tokens) {
    for (int slot = 0; slot < tokens * topK; slot++) {
      count(layer, slot, expertIds.getAtIndex(ValueLayout.JAVA_INT_UNALIGNED, slot));
    }
  }

  private void count(int layer, int slot, int expert) {
    if (expert == -1) {
      return;
    }
    if (expert < 0 || expert >= experts) {
      throw new IllegalArgumentException(
          "layer %d, token %d: expert %d is none of 0 to %d"
              .formatted(layer, slot / topK, expert, experts - 1));
    }
    load[layer][expert]++;
    if (slot % topK == 0) {
      first[layer][expert] = true;
    }
  }

  /// The counts since the last `clear`, as records that stay.
  public List<LayerRouting> layers() {
    var layers = new ArrayList<LayerRouting>(load.length);
    for (int layer = 0; layer < load.length; layer++) {
      int chosen = 0;
      for (boolean some : first[layer]) {
        chosen += some ? 1 : 0;
      }
      layers.add(LayerRouting.of(chosen, ExpertLoad.of(load[layer])));
    }
    return layers;
  }
}
