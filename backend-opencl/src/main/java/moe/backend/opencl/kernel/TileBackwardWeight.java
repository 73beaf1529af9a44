package moe.backend.opencl.kernel;

import org.jspecify.annotations.Nullable;

/// `backward_weight` and `backward_bias` of `tiles.cl`.
final class TileBackwardWeight extends GroupedBackwardWeight {
  private static final int GROUP = 64;

  private final ClKernel product;
  private final ClKernel sum;

  TileBackwardWeight(Kernels kernels) {
    product = kernels.kernel("tiles", "backward_weight");
    sum = kernels.kernel("tiles", "backward_bias");
  }

  @Override
  public void run(SlotRows gradient, SlotRows input, Groups groups, WorkQueue queue) {
    boolean gathered = gradient.assignments != null;
    Region assignments = gathered ? gradient.assignments : input.assignments;
    int topK = Math.max(gradient.topK, input.topK);
    product
        .begin()
        .region(gradient.source)
        .whole(gathered ? 1 : 0)
        .region(gradient.gates)
        .region(input.source)
        .whole(input.assignments != null ? 1 : 0)
        .region(assignments)
        .whole(topK)
        .region(groups.offsets)
        .whole(groups.experts)
        .whole(groups.rows)
        .whole(in)
        .whole(out)
        .region(weight);
    Tiles.launch(product, queue, in, (long) groups.experts * Math.ceilDiv(out, Tiles.ROWS));
    if (bias != null) {
      bias(gradient, gathered ? 1 : 0, assignments, topK, groups, bias, queue);
    }
  }

  private void bias(
      SlotRows gradient,
      int gathered,
      @Nullable Region assignments,
      int topK,
      Groups groups,
      Region to,
      WorkQueue queue) {
    sum.begin()
        .region(gradient.source)
        .whole(gathered)
        .region(assignments)
        .whole(topK)
        .region(gradient.gates)
        .region(groups.offsets)
        .whole(groups.experts)
        .whole(groups.rows)
        .whole(out)
        .region(to)
        .launch(queue, (long) Math.ceilDiv(out, GROUP) * GROUP, groups.experts, GROUP, 1);
  }
}
