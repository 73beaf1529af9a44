package moe.backend.opencl.kernel;

/// `backward_input` of `tiles.cl`.
final class TileBackwardInput extends GroupedBackwardInput {
  private final ClKernel kernel;

  TileBackwardInput(Kernels kernels) {
    kernel = kernels.kernel("tiles", "backward_input");
  }

  @Override
  public void rows(SlotRows gradient, Groups groups, Region result, boolean add, WorkQueue queue) {
    kernel
        .begin()
        .region(weight)
        .region(gradient.source)
        .region(gradient.assignments)
        .whole(gradient.topK)
        .region(gradient.gates)
        .region(groups.offsets)
        .whole(groups.experts)
        .whole(groups.rows)
        .whole(in)
        .whole(out)
        .activation(activation)
        .region(before)
        .region(result)
        .whole(add ? 1 : 0);
    Tiles.launch(kernel, queue, in, groups.blocks(Tiles.ROWS));
  }

  @Override
  public void inner(SlotRows gradient, Groups groups, Region result, WorkQueue queue) {
    rows(gradient, groups, result, false, queue);
  }
}
