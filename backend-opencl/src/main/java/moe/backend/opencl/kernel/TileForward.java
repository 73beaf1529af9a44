package moe.backend.opencl.kernel;

/// `forward` of `tiles.cl`.
final class TileForward extends GroupedForward {
  private final ClKernel kernel;

  TileForward(Kernels kernels) {
    kernel = kernels.kernel("tiles", "forward");
  }

  @Override
  public void rows(SlotRows input, Groups groups, Region result, WorkQueue queue) {
    kernel
        .begin()
        .region(weight)
        .region(bias)
        .region(input.source)
        .region(input.assignments)
        .whole(input.topK)
        .region(groups.offsets)
        .whole(groups.experts)
        .whole(groups.rows)
        .whole(in)
        .whole(out)
        .activation(activation)
        .region(before)
        .region(result);
    Tiles.launch(kernel, queue, out, groups.blocks(Tiles.ROWS));
  }

  @Override
  public void inner(SlotRows input, Groups groups, Region result, WorkQueue queue) {
    rows(input, groups, result, queue);
  }
}
