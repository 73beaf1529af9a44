package moe.engine.model;

/// The weights of one transformer layer.
///
/// @param norm1 before the attention
/// @param qkv `[3·dModel, dModel]`: queries, keys, values
/// @param projection `[dModel, dModel]`, behind the attention
/// @param norm2 before the feed-forward network
/// @param feedForward the dense network or the MoE block
record Layer(
    TrainedNorm norm1,
    TrainedLinear qkv,
    TrainedLinear projection,
    TrainedNorm norm2,
    FeedForward feedForward)
    implements AutoCloseable {
  @Override
  public void close() {
    feedForward.close();
  }
}
