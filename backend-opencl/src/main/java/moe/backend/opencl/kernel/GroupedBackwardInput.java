package moe.backend.opencl.kernel;

import moe.spi.device.Activation;
import org.jspecify.annotations.Nullable;

/// `dX[r] = W_eᵀ·dY[r]` for every row `r` of every expert `e`. Set up per call, confined to one
/// thread.
public abstract sealed class GroupedBackwardInput permits PanelBackwardInput, TileBackwardInput {
  Region weight = new Region(0, 0);
  int out;
  int in;
  Activation activation = Activation.NONE;
  @Nullable Region before;

  GroupedBackwardInput() {}

  /// The product for this device.
  public static GroupedBackwardInput of(Kernels kernels) {
    return kernels.compute().tuning().processor()
        ? new PanelBackwardInput(kernels)
        : new TileBackwardInput(kernels);
  }

  /// `weight [experts, out, in]`.
  public GroupedBackwardInput weights(Region weight, int out, int in) {
    this.weight = weight;
    this.out = out;
    this.in = in;
    activation = Activation.NONE;
    before = null;
    return this;
  }

  /// Multiplies by the slope of a function as it stores.
  ///
  /// @param before what the function was applied to, in the layout of the device
  public GroupedBackwardInput through(Activation activation, Region before) {
    this.activation = activation;
    this.before = before;
    return this;
  }

  /// Fills `result [rows, in]`, or adds to it.
  public abstract void rows(
      SlotRows gradient, Groups groups, Region result, boolean add, WorkQueue queue);

  /// Fills `result` in the layout of the device.
  public abstract void inner(SlotRows gradient, Groups groups, Region result, WorkQueue queue);
}
