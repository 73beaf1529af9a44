package moe.backend.opencl.kernel;

import org.jspecify.annotations.Nullable;

/// The rows that a product reads: as they lie, or gathered from tokens, or what another product
/// left in the layout of the device. Reused from call to call.
///
/// A processor's products read panels of 16 rows, so rows are packed into these first; a GPU's
/// gather while they load.
public final class SlotRows {
  private final Memory memory;
  private final @Nullable ClKernel pack;
  private @Nullable Region scratch;
  private long scratchFloats;

  Region source = new Region(0, 0);
  Region panels = source;
  boolean inner;
  int width;
  @Nullable Region assignments;
  @Nullable Region gates;
  int topK = 1;

  public SlotRows(Kernels kernels, Memory memory) {
    this.memory = memory;
    pack = kernels.compute().tuning().processor() ? kernels.kernel("panels", "pack") : null;
  }

  /// How many floats the layout of the device takes for rows of one expert each.
  public static long innerFloats(Compute compute, int rows, int experts, int width) {
    return compute.tuning().processor()
        ? Groups.blocks(rows, experts, Tuning.LANES) * Tuning.LANES * width
        : (long) rows * width;
  }

  /// Takes all the memory that so many rows will need.
  public SlotRows reserve(int rows, int experts, int width) {
    if (pack != null) {
      room(Groups.blocks(rows, experts, Tuning.LANES) * Tuning.LANES * width);
    }
    return this;
  }

  /// Rows `[rows, width]` in their order.
  public SlotRows plain(Region rows, int width) {
    source = rows;
    this.width = width;
    assignments = null;
    gates = null;
    topK = 1;
    inner = false;
    return this;
  }

  /// Row `r` is the row `assignments[r] / topK` of `tokens [tokens, width]`, times
  /// `gates[assignments[r]]` if there are gates.
  public SlotRows gathered(
      Region tokens, int width, Region assignments, int topK, @Nullable Region gates) {
    plain(tokens, width);
    this.assignments = assignments;
    this.gates = gates;
    this.topK = topK;
    return this;
  }

  /// What another product left.
  public SlotRows inner(Region rows, int width) {
    plain(rows, width);
    panels = rows;
    inner = true;
    return this;
  }

  /// Brings the rows into the layout that products read; once for all products that read them.
  public SlotRows pack(Groups groups, WorkQueue queue) {
    if (pack != null && !inner) {
      long blocks = groups.blocks(Tuning.LANES);
      panels = room(blocks * Tuning.LANES * width);
      pack.begin()
          .region(source)
          .region(assignments)
          .whole(topK)
          .region(gates)
          .region(groups.offsets)
          .whole(groups.experts)
          .whole(groups.rows)
          .whole(width)
          .region(panels)
          .launch(queue, blocks, 1, 1, 1);
    }
    return this;
  }

  private Region room(long floats) {
    Region there = scratch;
    if (there == null || floats > scratchFloats) {
      there = memory.grow(there, floats);
      scratch = there;
      scratchFloats = floats;
    }
    return there;
  }
}
