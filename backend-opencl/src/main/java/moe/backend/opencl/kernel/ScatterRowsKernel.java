package moe.backend.opencl.kernel;

import com.aparapi.Kernel;

/// `out[a / topK] += gates[a]·values[i]` for `a = assignments[i]`; a token occurs at most once. One
/// work-item for each column and row.
final class ScatterRowsKernel extends Kernel {
  // [n, width]
  float[] values = {};
  int valuesAt;
  // [n]: token · topK + k
  int[] assignments = {};
  int assignmentsAt;
  // [tokens, topK], read if `weighted` is 1
  float[] gates = {};
  int gatesAt;
  // [tokens, width]
  float[] out = {};
  int outAt;
  int weighted;
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
        float gate = weighted == 1 ? gates[gatesAt + a] : 1f;
        int at = outAt + a / topK * width + column;
        out[at] = fma(gate, values[valuesAt + row * width + column], out[at]);
      }
    }
  }
}
