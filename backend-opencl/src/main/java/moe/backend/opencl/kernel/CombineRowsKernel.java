package moe.backend.opencl.kernel;

import com.aparapi.Kernel;

/// `dRows[positions[t, k]] = gates[t, k]·dOut[t]`. One work-item for each column and slot.
final class CombineRowsKernel extends Kernel {
  // [tokens, width]
  float[] dOut = {};
  int dOutAt;
  // [tokens, topK]
  float[] gates = {};
  int gatesAt;
  int[] positions = {};
  int positionsAt;
  // [slots, width]
  float[] dRows = {};
  int dRowsAt;
  int slots;
  int topK;
  int width;

  @Override
  public void run() {
    int column = getGlobalId(0);
    int slot = getGlobalId(1);
    if (column < width && slot < slots) {
      int position = positions[positionsAt + slot];
      if (position >= 0 && position < slots) {
        dRows[dRowsAt + position * width + column] =
            gates[gatesAt + slot] * dOut[dOutAt + slot / topK * width + column];
      }
    }
  }
}
