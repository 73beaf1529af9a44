package moe.conformance.reference;

/// Softmax and cross-entropy of rows of logits; a negative target masks its row.
///
/// @param losses `[rows]`
/// @param dLogits `[rows, vocab]`, times a scale
public record Loss(Bounded losses, Bounded dLogits) {
  public static Loss of(double[] logits, int[] targets, int vocab, double scale) {
    Sums losses = new Sums(targets.length);
    Sums dLogits = new Sums(logits.length);
    for (int row = 0; row < targets.length; row++) {
      if (targets[row] < 0) {
        continue;
      }
      double max = Double.NEGATIVE_INFINITY;
      for (int i = 0; i < vocab; i++) {
        max = Math.max(max, logits[row * vocab + i]);
      }
      double sum = 0;
      for (int i = 0; i < vocab; i++) {
        sum += Math.exp(logits[row * vocab + i] - max);
      }
      double right = logits[row * vocab + targets[row]];
      losses.add(row, max + Math.log(sum) - right, 1 + Math.abs(max) + Math.abs(right));
      for (int i = 0; i < vocab; i++) {
        int at = row * vocab + i;
        double distance = Math.abs(logits[at] - max);
        double p = Math.exp(logits[at] - max) / sum;
        dLogits.add(at, scale * p, Math.abs(scale) * p * (1 + distance));
        if (i == targets[row]) {
          dLogits.add(at, -scale);
        }
      }
    }
    return new Loss(losses.bounded(), dLogits.bounded());
  }
}
