package moe.engine.model;

/// The weights of one layer's second half: a dense network, or the stages of a MoE block.
sealed interface FeedForward extends AutoCloseable permits DenseFeedForward, MoeFeedForward {
  /// Binds the network to batches of one size.
  FeedForwardPass pass(FeedForwardPorts ports, PassBuffers buffers);

  @Override
  void close();
}
