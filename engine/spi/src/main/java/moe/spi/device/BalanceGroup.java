package moe.spi.device;

/// The biases that keep the load of the experts even, of all layers of a model as one: `β_e +=
/// γ·sign(mean load − load_e)` after each step (Wang et al., arXiv 2408.15664).
///
/// Nothing here waits or allocates, so all of it can be recorded.
public interface BalanceGroup extends AutoCloseable {
  /// One layer.
  ///
  /// @param expertIds I32 `[tokens, topK]`; −1 for an unused slot, as is any id out of range
  /// @param bias F32 `[experts]`, moved in place
  record Member(Tensor expertIds, Tensor bias) {}

  /// Adds where the tokens went to what is counted since the last `move`.
  void count(DeviceStream stream);

  /// Moves all biases against the load that was counted, and counts from 0 again. The load is
  /// compared with its mean in whole numbers, so each bias moves by exactly γ or not at all.
  ///
  /// @param factor F32 `[1]`; where it is 0 no bias moves
  void move(Tensor factor, DeviceStream stream);

  /// Gives back what the group keeps on the device; the tensors of its members stay.
  @Override
  void close();
}
