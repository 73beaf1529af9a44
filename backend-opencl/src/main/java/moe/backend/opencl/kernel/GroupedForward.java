package moe.backend.opencl.kernel;

import moe.spi.device.Activation;
import org.jspecify.annotations.Nullable;

/// `y[r] = activation(W_e·x[r] + b_e)` for every row `r` of every expert `e`. Set up per call,
/// confined to one thread.
public abstract sealed class GroupedForward permits PanelForward, TileForward {
  Region weight = new Region(0, 0);
  @Nullable Region bias;
  int out;
  int in;
  Activation activation = Activation.NONE;
  @Nullable Region before;

  GroupedForward() {}

  /// The product for this device.
  public static GroupedForward of(Kernels kernels) {
    return kernels.compute().tuning().processor()
        ? new PanelForward(kernels)
        : new TileForward(kernels);
  }

  /// `weight [experts, out, in]`, `bias [experts, out]`.
  public GroupedForward weights(Region weight, @Nullable Region bias, int out, int in) {
    this.weight = weight;
    this.bias = bias;
    this.out = out;
    this.in = in;
    activation = Activation.NONE;
    before = null;
    return this;
  }

  /// Applies a function as it stores, and keeps what it was applied to, if wanted.
  ///
  /// @param before in the layout of the device
  public GroupedForward activation(Activation activation, @Nullable Region before) {
    this.activation = activation;
    this.before = before;
    return this;
  }

  /// Fills `result [rows, out]`; rows beyond the last expert's are not written.
  public abstract void rows(SlotRows input, Groups groups, Region result, WorkQueue queue);

  /// Fills `result` in the layout of the device.
  public abstract void inner(SlotRows input, Groups groups, Region result, WorkQueue queue);
}
