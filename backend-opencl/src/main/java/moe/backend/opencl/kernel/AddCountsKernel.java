package moe.backend.opencl.kernel;

import com.aparapi.Kernel;

/// Turns the counts of each expert into those of the chunks before, and keeps their sum. One
/// work-item for each expert.
final class AddCountsKernel extends Kernel {
  // [experts, chunks]
  int[] counts = {};
  int countsAt;
  // [experts]
  int[] totals = {};
  int totalsAt;
  int experts;
  int chunks;

  @Override
  public void run() {
    int expert = getGlobalId();
    if (expert < experts) {
      int before = 0;
      for (int c = 0; c < chunks; c++) {
        int at = countsAt + expert * chunks + c;
        int count = counts[at];
        counts[at] = before;
        before = before + count;
      }
      totals[totalsAt + expert] = before;
    }
  }
}
