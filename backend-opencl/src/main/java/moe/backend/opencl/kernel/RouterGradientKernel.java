package moe.backend.opencl.kernel;

import com.aparapi.Kernel;

/// The gradient of the logits. With gates `g` and their gradients `d`, that of a chosen expert is
/// `g_k·(d_k − Σ g_j·d_j)`, every other 0. One work-item for each token.
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
      float mean = 0f;
      for (int k = 0; k < topK; k++) {
        if (ids[idsAt + slot + k] >= 0) {
          mean = mean + gates[gatesAt + slot + k] * dGates[dGatesAt + slot + k];
        }
      }
      for (int k = 0; k < topK; k++) {
        int expert = ids[idsAt + slot + k];
        if (expert >= 0 && expert < experts) {
          dLogits[z + expert] = gates[gatesAt + slot + k] * (dGates[dGatesAt + slot + k] - mean);
        }
      }
    }
  }
}
