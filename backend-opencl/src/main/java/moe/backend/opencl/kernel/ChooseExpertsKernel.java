package moe.backend.opencl.kernel;

import com.aparapi.Kernel;

/// Chooses the best `topK` experts of each token, by insertion of one after the other. Of equal
/// scores the smaller id is better; NaN is worse than every number. Gates are the softmax over the
/// chosen logits, and NaN if any logit of the token is. One work-item for each token.
@SuppressWarnings("IdentityBinaryExpression") // Aparapi does not translate Float.isNaN
final class ChooseExpertsKernel extends Kernel {
  // [tokens, experts]
  float[] logits = {};
  int logitsAt;
  // [experts], added to the scores for the choice
  float[] bias = {};
  int biasAt;
  // [tokens, topK]
  int[] ids = {};
  int idsAt;
  float[] gates = {};
  int gatesAt;
  int tokens;
  int experts;
  int topK;

  @Override
  public void run() {
    int token = getGlobalId();
    if (token < tokens) {
      int z = logitsAt + token * experts;
      int first = idsAt + token * topK;
      for (int k = 0; k < topK; k++) {
        int best = -1;
        float bestScore = 0f;
        for (int expert = 0; expert < experts; expert++) {
          int taken = 0;
          for (int j = 0; j < k; j++) {
            if (ids[first + j] == expert) {
              taken = 1;
            }
          }
          float score = logits[z + expert] + bias[biasAt + expert];
          if (taken == 0
              && (best < 0 || score > bestScore || (bestScore != bestScore && score == score))) {
            best = expert;
            bestScore = score;
          }
        }
        ids[first + k] = best;
      }
      weigh(z, first, gatesAt + token * topK);
    }
  }

  void weigh(int z, int first, int gate) {
    float max = logits[z + ids[first]];
    for (int k = 1; k < topK; k++) {
      float logit = logits[z + ids[first + k]];
      if (logit > max) { // with a bias the first need not be the largest
        max = logit;
      }
    }
    float sum = 0f;
    for (int k = 0; k < topK; k++) {
      sum = sum + exp(logits[z + ids[first + k]] - max);
    }
    for (int expert = 0; expert < experts; expert++) {
      float logit = logits[z + expert];
      if (logit != logit) {
        sum = logit;
      }
    }
    for (int k = 0; k < topK; k++) {
      gates[gate + k] = exp(logits[z + ids[first + k]] - max) / sum;
    }
  }
}
