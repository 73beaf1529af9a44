package moe.engine.stage;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import moe.spi.device.DeviceStream;
import moe.spi.device.Tensor;
import moe.spi.stage.Routing;

/// Assignments sorted by expert, planned on the host from a downloaded routing.
final class HostPlan {
  private final int topK;
  private final int[] ids;
  private final int[] offsets;
  private final int[] assignments;
  private final int[] next;

  HostPlan(int maxSlots, int experts, int topK) {
    this.topK = topK;
    this.ids = new int[maxSlots];
    this.offsets = new int[experts + 1];
    this.assignments = new int[maxSlots];
    this.next = new int[experts];
  }

  /// Downloads the routing, so it waits for the device, and uploads the plan.
  ///
  /// @param target I32 `[maxSlots]`: the assignments, those of expert 0 first
  void plan(Routing routing, Tensor target, DeviceStream stream) {
    int slots = Math.toIntExact(routing.expertIds().shape().elements());
    stream.download(
        routing.expertIds(), MemorySegment.ofArray(ids).asSlice(0, (long) slots * Integer.BYTES));
    sort(slots);
    int used = offsets[offsets.length - 1];
    if (used > 0) {
      stream.upload(
          MemorySegment.ofArray(assignments).asSlice(0, (long) used * Integer.BYTES),
          target.slice(0, used));
    }
  }

  private void sort(int slots) {
    Arrays.fill(offsets, 0);
    for (int slot = 0; slot < slots; slot++) {
      if (ids[slot] >= 0) {
        offsets[ids[slot] + 1]++;
      }
    }
    for (int expert = 0; expert < next.length; expert++) {
      offsets[expert + 1] += offsets[expert];
      next[expert] = offsets[expert];
    }
    for (int slot = 0; slot < slots; slot++) {
      if (ids[slot] >= 0) {
        assignments[next[ids[slot]]++] = slot;
      }
    }
  }

  int topK() {
    return topK;
  }

  /// The first row of an expert.
  int begin(int expert) {
    return offsets[expert];
  }

  /// The rows of an expert.
  int count(int expert) {
    return offsets[expert + 1] - offsets[expert];
  }
}
