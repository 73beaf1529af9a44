package moe.engine.train;

/// A learning rate that rises in a line and falls along half a cosine (Loshchilov and Hutter, arXiv
/// 1608.03983).
///
/// @param peak the highest rate
/// @param warmup steps in which it rises from 0 to `peak`
/// @param end the last rate, relative to `peak`
/// @param steps steps of the whole run
public record LearningRate(double peak, int warmup, double end, long steps) {
  /// The rate of a step.
  ///
  /// @param step from 1 on
  public double at(long step) {
    if (step <= warmup) {
      return peak * step / warmup;
    }
    double way = Math.min(1, (double) (step - warmup) / Math.max(1, steps - warmup));
    return peak * (end + (1 - end) * 0.5 * (1 + Math.cos(Math.PI * way)));
  }
}
