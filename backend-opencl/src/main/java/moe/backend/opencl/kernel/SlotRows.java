package moe.backend.opencl.kernel;

import moe.backend.opencl.driver.FoundDevice;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import org.jspecify.annotations.Nullable;

/// The rows that a product reads: as they lie, or gathered from tokens, or what another product
/// left in the layout of the device. Reused from call to call.
///
/// A processor's products read panels of 16 rows, so rows are packed into these first; a GPU's
/// gather while they load.
public final class SlotRows {
  /// Most floats of rows that are packed for a dense product at a time: 64 MiB.
  private static final long DENSE_FLOATS = 1 << 24;

  private final @Nullable ClKernel pack;
  private final Region scratch;
  private final long scratchFloats;

  Region source = new Region(0, 0);
  Region panels = source;
  boolean inner;
  int width;
  @Nullable Region assignments;
  @Nullable Region gates;
  int topK = 1;

  private SlotRows(Kernels kernels, Region scratch, long scratchFloats) {
    pack = kernels.compute().tuning().processor() ? kernels.kernel("panels", "pack") : null;
    this.scratch = scratch;
    this.scratchFloats = scratchFloats;
  }

  /// Takes all the memory that so many rows will need.
  public static SlotRows of(Kernels kernels, Memory memory, int rows, int experts, int width) {
    if (!kernels.compute().tuning().processor()) {
      return unpacked(kernels);
    }
    long floats = innerFloats(kernels.compute(), rows, experts, width);
    return new SlotRows(kernels, memory.floats(floats), floats);
  }

  /// For rows of dense products, packed in memory for `denseFloats`.
  public static SlotRows dense(Kernels kernels, Region scratch) {
    return new SlotRows(kernels, scratch, denseFloats(kernels.compute()));
  }

  /// For rows that are never packed.
  public static SlotRows unpacked(Kernels kernels) {
    return new SlotRows(kernels, new Region(0, 0), 0);
  }

  /// How many floats are packed for a dense product at a time.
  public static long denseFloats(Compute compute) {
    FoundDevice device = compute.device();
    long share = Math.min(device.memoryBytes() / 64, device.maxAllocationBytes()) / Float.BYTES;
    return compute.tuning().processor() ? Math.min(DENSE_FLOATS, share) : 0;
  }

  /// How many floats the layout of the device takes for rows of one expert each.
  public static long innerFloats(Compute compute, int rows, int experts, int width) {
    return compute.tuning().processor()
        ? Groups.blocks(rows, experts, Tuning.LANES) * Tuning.LANES * width
        : (long) rows * width;
  }

  /// How many of so many rows can be packed at a time; parts are about equal.
  ///
  /// @throws MoeException kind `UNSUPPORTED` if not even a panel can
  public int atOnce(int rows, int width) {
    if (pack == null || rows == 0 || width == 0) {
      return rows;
    }
    long most = scratchFloats / width / Tuning.LANES * Tuning.LANES;
    if (most == 0) {
      throw new MoeException(
          ErrorKind.UNSUPPORTED,
          "opencl: a row of %,d features is too long to be packed (at most %,d). Use smaller dimensions or another backend."
              .formatted(width, scratchFloats / Tuning.LANES));
    }
    int parts = (int) Math.ceilDiv(rows, most);
    return Math.ceilDiv(Math.ceilDiv(rows, parts), Tuning.LANES) * Tuning.LANES;
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
      if (blocks * Tuning.LANES * width > scratchFloats) {
        throw new IllegalStateException("more rows than memory was taken for");
      }
      panels = scratch;
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
}
