package moe.backend.opencl.kernel;

import com.aparapi.Kernel;

/// `out[i] = x[assignments[i] / topK]`. One work-item for each column and row.
final class GatherRowsKernel extends Kernel {
  // [tokens, width]
  float[] x = {};
  int xAt;
  // [n]: token · topK + k
  int[] assignments = {};
  int assignmentsAt;
  // [n, width]
  float[] out = {};
  int outAt;
  int n;
  int slots;
  int topK;
  int width;

  @Override
  public void run() {
    int column = getGlobalId(0);
    int row = getGlobalId(1);
    if (column < width && row < n) {
      int a = assignments[assignmentsAt + row];
      if (a >= 0 && a < slots) {
        out[outAt + row * width + column] = x[xAt + a / topK * width + column];
      }
    }
  }
}
