package moe.backend.opencl.kernel;

import com.aparapi.Kernel;

/// Gives each slot its row: rows of an expert are in the order of their slots. One work-item for
/// each chunk and expert.
final class PlaceSlotsKernel extends Kernel {
  // [slots], −1 for an unused slot
  int[] ids = {};
  int idsAt;
  // [experts, chunks]: slots of the expert in the chunks before
  int[] counts = {};
  int countsAt;
  // [experts]
  int[] totals = {};
  int totalsAt;
  // [experts + 1]
  int[] offsets = {};
  int offsetsAt;
  // [slots]
  int[] assignments = {};
  int assignmentsAt;
  int[] positions = {};
  int positionsAt;
  int slots;
  int experts;
  int chunk;
  int chunks;

  @Override
  public void run() {
    int i = getGlobalId();
    if (i < experts * chunks) {
      int expert = i / chunks;
      int c = i - expert * chunks;
      int row = 0;
      for (int e = 0; e < expert; e++) {
        row = row + totals[totalsAt + e];
      }
      if (c == 0) {
        offsets[offsetsAt + expert] = row;
        if (expert == experts - 1) {
          offsets[offsetsAt + experts] = row + totals[totalsAt + expert];
        }
      }
      row = row + counts[countsAt + i];
      int from = c * chunk;
      int to = min(slots, from + chunk);
      for (int slot = from; slot < to; slot++) {
        int id = ids[idsAt + slot];
        if (id == expert) {
          positions[positionsAt + slot] = row;
          assignments[assignmentsAt + row] = slot;
          row = row + 1;
        }
        if (expert == 0 && (id < 0 || id >= experts)) {
          positions[positionsAt + slot] = -1;
        }
      }
    }
  }
}
