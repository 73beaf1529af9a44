package moe.backend.opencl.kernel;

/// `backward_input` of `panels.cl`.
final class PanelBackwardInput extends GroupedBackwardInput {
  private final ClKernel kernel;
  private final int features;

  PanelBackwardInput(Kernels kernels) {
    kernel = kernels.kernel("panels", "backward_input");
    features = kernels.compute().tuning().tileFeatures();
  }

  @Override
  public void rows(SlotRows gradient, Groups groups, Region result, boolean add, WorkQueue queue) {
    run(gradient, groups, result, 0, add ? 1 : 0, queue);
  }

  @Override
  public void inner(SlotRows gradient, Groups groups, Region result, WorkQueue queue) {
    run(gradient, groups, result, 1, 0, queue);
  }

  private void run(
      SlotRows gradient, Groups groups, Region result, int inPanels, int add, WorkQueue queue) {
    kernel
        .begin()
        .region(weight)
        .region(gradient.panels)
        .region(groups.offsets)
        .whole(groups.experts)
        .whole(groups.rows)
        .whole(in)
        .whole(out)
        .activation(activation)
        .region(before)
        .region(result)
        .whole(inPanels)
        .whole(add)
        .grid(queue, Math.ceilDiv(in, features), groups.blocks(Tuning.BLOCK_ROWS));
  }
}
