package moe.spi.stage;

/// A step of a MoE block.
///
/// A stage takes all its memory when it is created; its operations allocate nothing, never wait for
/// the device, and write only the tensors named as outputs. It is used by one stream at a time.
/// Tensors are sized to the tokens of the call, which may be 0.
///
/// Backward is an optional power: a block trains if all its stages have it. What forward must keep
/// for backward it keeps inside the stage, and backward follows the forward it belongs to.
public sealed interface Stage extends AutoCloseable
    permits Router, Dispatcher, ExpertExecutor, Combiner, FusedMoe {
  @Override
  void close();
}
