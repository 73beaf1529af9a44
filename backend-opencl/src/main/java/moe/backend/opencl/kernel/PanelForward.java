package moe.backend.opencl.kernel;

/// `forward` of `panels.cl`.
final class PanelForward extends GroupedForward {
  private final ClKernel kernel;
  private final int features;

  PanelForward(Kernels kernels) {
    kernel = kernels.kernel("panels", "forward");
    features = kernels.compute().tuning().tileFeatures();
  }

  @Override
  public void rows(SlotRows input, Groups groups, Region result, WorkQueue queue) {
    run(input, groups, result, 0, queue);
  }

  @Override
  public void inner(SlotRows input, Groups groups, Region result, WorkQueue queue) {
    run(input, groups, result, 1, queue);
  }

  private void run(SlotRows input, Groups groups, Region result, int inPanels, WorkQueue queue) {
    kernel
        .begin()
        .region(weight)
        .region(bias)
        .region(input.panels)
        .region(groups.offsets)
        .whole(groups.experts)
        .whole(groups.rows)
        .whole(in)
        .whole(out)
        .activation(activation)
        .region(before)
        .region(result)
        .whole(inPanels)
        .grid(queue, Math.ceilDiv(out, features), groups.blocks(Tuning.BLOCK_ROWS));
  }
}
