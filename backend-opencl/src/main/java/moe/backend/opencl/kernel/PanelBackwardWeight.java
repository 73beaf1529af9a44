package moe.backend.opencl.kernel;

/// `backward_weight` and `backward_bias` of `panels_weight.cl`.
final class PanelBackwardWeight extends GroupedBackwardWeight {
  /// Columns of a work-item, as in `panels_weight.cl`.
  private static final int COLUMNS = 64;

  /// Features of a work-item: many, since each packs its columns of the input.
  private static final int OUTS = 384;

  private final ClKernel product;
  private final ClKernel sum;

  PanelBackwardWeight(Kernels kernels) {
    product = kernels.kernel("panels_weight", "backward_weight");
    sum = kernels.kernel("panels_weight", "backward_bias");
  }

  @Override
  public void run(SlotRows gradient, SlotRows input, Groups groups, WorkQueue queue) {
    product
        .begin()
        .region(gradient.panels)
        .region(input.source)
        .whole(input.inner ? 1 : 0)
        .region(input.assignments)
        .whole(input.topK)
        .region(groups.offsets)
        .whole(groups.experts)
        .whole(groups.rows)
        .whole(in)
        .whole(out)
        .whole(OUTS)
        .region(weight)
        .grid(queue, Math.ceilDiv(in, COLUMNS), (long) groups.experts * Math.ceilDiv(out, OUTS));
    if (bias != null) {
      sum.begin()
          .region(gradient.panels)
          .region(groups.offsets)
          .whole(groups.experts)
          .whole(groups.rows)
          .whole(out)
          .region(bias)
          .grid(queue, out, groups.experts);
    }
  }
}
