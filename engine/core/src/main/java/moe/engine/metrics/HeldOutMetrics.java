package moe.engine.metrics;

/// The loss on held-out text after some step: a line of `held-out.jsonl`.
///
/// @param step steps of training before it; 0 is the untrained model
/// @param loss mean cross-entropy in nats per predicted token
/// @param tokens predicted tokens
/// @param millis how long it took
public record HeldOutMetrics(int step, double loss, long tokens, double millis) {
  public HeldOutMetrics {
    Check.least("step", step, 0);
    Check.least("tokens", tokens, 1);
    Check.duration("millis", millis);
  }

  /// e to the loss: as if the model chose evenly among this many tokens.
  public double perplexity() {
    return Math.exp(loss);
  }
}
