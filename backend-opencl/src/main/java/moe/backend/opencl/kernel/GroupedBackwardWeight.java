package moe.backend.opencl.kernel;

import org.jspecify.annotations.Nullable;

/// `dW_e += Σ dY[r]·x[r]ᵀ` and `db_e += Σ dY[r]` over the rows of every expert `e`, in their order.
/// Set up per call, confined to one thread.
public abstract sealed class GroupedBackwardWeight permits PanelBackwardWeight, TileBackwardWeight {
  Region weight = new Region(0, 0);
  @Nullable Region bias;
  int out;
  int in;

  GroupedBackwardWeight() {}

  /// The product for this device.
  public static GroupedBackwardWeight of(Kernels kernels) {
    return kernels.compute().tuning().processor()
        ? new PanelBackwardWeight(kernels)
        : new TileBackwardWeight(kernels);
  }

  /// Gradients of `weight [experts, out, in]` and `bias [experts, out]`.
  public GroupedBackwardWeight gradients(Region weight, @Nullable Region bias, int out, int in) {
    this.weight = weight;
    this.bias = bias;
    this.out = out;
    this.in = in;
    return this;
  }

  /// Adds to the gradients.
  ///
  /// @param input what the product read, not packed
  public abstract void run(SlotRows gradient, SlotRows input, Groups groups, WorkQueue queue);
}
