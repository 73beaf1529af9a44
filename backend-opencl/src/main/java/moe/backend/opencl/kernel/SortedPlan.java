package moe.backend.opencl.kernel;

/// A counting sort of slots by expert on the device, in chunks: count, add up, place. Confined to
/// one thread.
public final class SortedPlan {
  private static final int CHUNK = 128;

  private final JavaKernel count;
  private final JavaKernel add;
  private final JavaKernel place;
  private final int experts;

  public SortedPlan(Kernels kernels, int experts) {
    count = kernels.translated(new CountSlotsKernel());
    add = kernels.translated(new AddCountsKernel());
    place = kernels.translated(new PlaceSlotsKernel());
    this.experts = experts;
  }

  /// How many `int`s of scratch the plan of so many slots takes.
  public static long scratch(int slots, int experts) {
    return (long) experts * (chunks(slots) + 1);
  }

  /// Fills `offsets [experts + 1]`, `assignments [slots]` and `positions [slots]`.
  ///
  /// @param ids `[slots]`, −1 for an unused slot
  /// @param scratch of the size that `scratch` says
  public void run(
      Region ids,
      int slots,
      Region scratch,
      Region offsets,
      Region assignments,
      Region positions,
      WorkQueue queue) {
    int chunks = chunks(slots);
    Region counts = new Region(scratch.buffer(), scratch.at() + experts);
    count
        .array("ids", ids)
        .array("counts", counts)
        .whole("slots", slots)
        .whole("experts", experts)
        .whole("chunk", CHUNK)
        .whole("chunks", chunks)
        .items(queue, (long) experts * chunks);
    add.array("counts", counts)
        .array("totals", scratch)
        .whole("experts", experts)
        .whole("chunks", chunks)
        .items(queue, experts);
    place
        .array("ids", ids)
        .array("counts", counts)
        .array("totals", scratch)
        .array("offsets", offsets)
        .array("assignments", assignments)
        .array("positions", positions)
        .whole("slots", slots)
        .whole("experts", experts)
        .whole("chunk", CHUNK)
        .whole("chunks", chunks)
        .items(queue, (long) experts * chunks);
  }

  /// At least one, so that the offsets of no slots are written too.
  private static int chunks(int slots) {
    return Math.max(1, Math.ceilDiv(slots, CHUNK));
  }
}
