package moe.backend.opencl.kernel;

import com.aparapi.Kernel;

/// `dGates[a] = ⟨dOut[a / topK], values[i]⟩` for `a = assignments[i]`. One work-item for each row.
final class ScatterGatesKernel extends Kernel {
  // [tokens, width]
  float[] dOut = {};
  int dOutAt;
  // [n, width]
  float[] values = {};
  int valuesAt;
  // [n]
  int[] assignments = {};
  int assignmentsAt;
  // [tokens, topK]
  float[] dGates = {};
  int dGatesAt;
  int n;
  int slots;
  int topK;
  int width;

  @Override
  public void run() {
    int row = getGlobalId();
    if (row < n) {
      int a = assignments[assignmentsAt + row];
      if (a >= 0 && a < slots) {
        int d = dOutAt + a / topK * width;
        int v = valuesAt + row * width;
        float even = 0f;
        float odd = 0f;
        for (int i = 0; i < width - 1; i += 2) {
          even = fma(dOut[d + i], values[v + i], even);
          odd = fma(dOut[d + i + 1], values[v + i + 1], odd);
        }
        if (width % 2 == 1) {
          even = fma(dOut[d + width - 1], values[v + width - 1], even);
        }
        dGates[dGatesAt + a] = even + odd;
      }
    }
  }
}
