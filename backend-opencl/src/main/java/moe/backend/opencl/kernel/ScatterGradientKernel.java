package moe.backend.opencl.kernel;

import com.aparapi.Kernel;

/// `dValues[i] = gates[a]·dOut[a / topK]` for `a = assignments[i]`. One work-item for each column
/// and row.
final class ScatterGradientKernel extends Kernel {
  // [tokens, width]
  float[] dOut = {};
  int dOutAt;
  // [tokens, topK]
  float[] gates = {};
  int gatesAt;
  // [n]
  int[] assignments = {};
  int assignmentsAt;
  // [n, width]
  float[] dValues = {};
  int dValuesAt;
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
        dValues[dValuesAt + row * width + column] =
            gates[gatesAt + a] * dOut[dOutAt + a / topK * width + column];
      }
    }
  }
}
