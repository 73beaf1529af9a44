package moe.backend.opencl.kernel;

import com.aparapi.Kernel;

/// `dGates[t, k] = ⟨dOut[t], rows[positions[t, k]]⟩`, 0 for an unused slot. One work-item for each
/// slot.
final class CombineGatesKernel extends Kernel {
  // [tokens, width]
  float[] dOut = {};
  int dOutAt;
  // [slots, width]
  float[] rows = {};
  int rowsAt;
  // [tokens, topK]
  int[] positions = {};
  int positionsAt;
  float[] dGates = {};
  int dGatesAt;
  int slots;
  int topK;
  int width;

  @Override
  public void run() {
    int slot = getGlobalId();
    if (slot < slots) {
      int position = positions[positionsAt + slot];
      float even = 0f;
      float odd = 0f;
      if (position >= 0 && position < slots) {
        int d = dOutAt + slot / topK * width;
        int row = rowsAt + position * width;
        for (int i = 0; i < width - 1; i += 2) {
          even = fma(dOut[d + i], rows[row + i], even);
          odd = fma(dOut[d + i + 1], rows[row + i + 1], odd);
        }
        if (width % 2 == 1) {
          even = fma(dOut[d + width - 1], rows[row + width - 1], even);
        }
      }
      dGates[dGatesAt + slot] = even + odd;
    }
  }
}
