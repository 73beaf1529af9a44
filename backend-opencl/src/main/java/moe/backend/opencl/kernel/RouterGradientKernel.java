package moe.backend.opencl.kernel;

import com.aparapi.Kernel;

/// The gradient of the logits. With gates `g` and their gradients `d`, that of a chosen expert is
/// `g_k·Σ g_j·(d_k − d_j)`, every other 0: as gates add up to 1, `g_k·(d_k − Σ g_j·d_j)`, which
/// loses its digits where one gate is nearly 1. One work-item for each token.
final class RouterGradientKernel extends Kernel {
  // [tokens, topK], −1 for an unused slot
  int[] ids = {};
  int idsAt;
  float[] gates = {};
  int gatesAt;
  float[] dGates = {};
  int dGatesAt;
  // [tokens, experts]
  float[] dLogits = {};
  int dLogitsAt;
  int tokens;
  int experts;
  int topK;

  @Override
  public void run() {
    int token = getGlobalId();
    if (token < tokens) {
      int slot = token * topK;
      int z = dLogitsAt + token * experts;
      for (int expert = 0; expert < experts; expert++) {
        dLogits[z + expert] = 0f;
      }
      for (int k = 0; k < topK; k++) {
        int expert = ids[idsAt + slot + k];
        if (expert >= 0 && expert < experts) {
          float d = dGates[dGatesAt + slot + k];
          float sum = 0f;
          for (int j = 0; j < topK; j++) {
            if (ids[idsAt + slot + j] >= 0) {
              sum = sum + gates[gatesAt + slot + j] * (d - dGates[dGatesAt + slot + j]);
            }
          }
          dLogits[z + expert] = gates[gatesAt + slot + k] * sum;
        }
      }
    }
  }
}
