package moe.backend.opencl.kernel;

import com.aparapi.Kernel;

/// Counts the slots of each expert in each chunk. One work-item for each chunk and expert.
final class CountSlotsKernel extends Kernel {
  // [slots], −1 for an unused slot
  int[] ids = {};
  int idsAt;
  // [experts, chunks]
  int[] counts = {};
  int countsAt;
  int slots;
  int experts;
  int chunk;
  int chunks;

  @Override
  public void run() {
    int i = getGlobalId();
    if (i < experts * chunks) {
      int expert = i / chunks;
      int from = (i - expert * chunks) * chunk;
      int to = min(slots, from + chunk);
      int count = 0;
      for (int slot = from; slot < to; slot++) {
        if (ids[idsAt + slot] == expert) {
          count = count + 1;
        }
      }
      counts[countsAt + i] = count;
    }
  }
}
