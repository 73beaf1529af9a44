package moe.backend.opencl.kernel;

import com.aparapi.Kernel;

/// `out[t] = Σ_k gates[t, k]·rows[positions[t, k]]` in the order of k, or added to `out`. One
/// work-item for each column and token.
final class CombineKernel extends Kernel {
  // [slots, width]
  float[] rows = {};
  int rowsAt;
  // [tokens, topK], −1 for an unused slot
  int[] positions = {};
  int positionsAt;
  // [tokens, topK], read if `weighted` is 1
  float[] gates = {};
  int gatesAt;
  // [tokens, width]
  float[] out = {};
  int outAt;
  int weighted;
  int accumulate;
  int tokens;
  int topK;
  int width;

  @Override
  public void run() {
    int column = getGlobalId(0);
    int token = getGlobalId(1);
    if (column < width && token < tokens) {
      int at = outAt + token * width + column;
      float sum = accumulate == 1 ? out[at] : 0f;
      for (int k = 0; k < topK; k++) {
        int position = positions[positionsAt + token * topK + k];
        if (position >= 0 && position < tokens * topK) {
          float gate = weighted == 1 ? gates[gatesAt + token * topK + k] : 1f;
          sum = fma(gate, rows[rowsAt + position * width + column], sum);
        }
      }
      out[at] = sum;
    }
  }
}
