package moe.spi.device;

/// The parameters of a model as one: what a training step does with all of them takes a few calls
/// of kernels, not a few for each.
///
/// Nothing here waits or allocates, so all of it can be recorded.
public interface ParameterGroup extends AutoCloseable {
  /// One parameter.
  ///
  /// @param parameter F32, updated in place
  /// @param gradient F32, shape of the parameter
  record Member(Tensor parameter, Tensor gradient, AdamWState state, AdamW settings) {}

  /// Sets all gradients to 0.
  void zeroGradients(DeviceStream stream);

  /// `out[0] = Σ g²` over all elements of all gradients.
  ///
  /// @param out F32 `[1]`
  void sumOfSquares(Tensor out, DeviceStream stream);

  /// `DenseOps.adamW` of each parameter, with `factor[0]` times its gradient. A factor of 0 changes
  /// nothing at all, whatever the gradients hold.
  ///
  /// @param factor F32 `[1]`
  /// @param schedule F32 `[3]` of `DenseOps.adamW`
  void adamW(Tensor factor, Tensor schedule, DeviceStream stream);

  /// Gives back what the group keeps on the device; the tensors of its members stay.
  @Override
  void close();
}
