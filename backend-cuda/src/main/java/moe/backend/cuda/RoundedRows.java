package moe.backend.cuda;

import moe.spi.device.Tensor;
import org.jspecify.annotations.Nullable;

/// Float32 rows that a kernel had in its registers anyway and left in bf16 for the products that
/// follow it on the same stream. Once somebody may have written them, or others are left, they are
/// gone; so a recording never counts on what was before it.
public final class RoundedRows {
  // Of 1,024 tokens it saved 1.3 % of a forward pass on an H200; of 16,384 that is not known (ADR
  // 78).
  private static final long MOST_ELEMENTS = 1L << 22;

  private final Rooms rooms;
  private @Nullable CudaTensor room;
  private @Nullable CudaTensor source;
  private long version;

  RoundedRows(Rooms rooms) {
    this.rooms = rooms;
  }

  /// Whether rows are worth leaving: a product will round them, and they are not too many.
  static boolean suits(Tensor rows) {
    return rows.shape().rows() > Products.FEW_ROWS
        && rows.shape().lastDim() % 8 == 0
        && rows.shape().elements() <= MOST_ELEMENTS;
  }

  /// Where a kernel leaves these rows.
  public CudaTensor room(Tensor rows) {
    source = null;
    room = rooms.of(Rooms.LEFT, rows.shape().elements());
    return room;
  }

  /// Notes that a kernel has left them there.
  public void left(Tensor rows) {
    source = CudaTensor.of(rows);
    version = source.version();
  }

  /// These rows as they have just been left, they alone or among others; null if they have not.
  public @Nullable Tensor of(Tensor rows) {
    CudaTensor wanted = CudaTensor.of(rows);
    if (room == null
        || source == null
        || source.owner() != wanted.owner()
        || version != wanted.version()) {
      return null;
    }
    long first = (wanted.address() - source.address()) / Float.BYTES;
    boolean inside = first >= 0 && first + wanted.shape().elements() <= source.shape().elements();
    return inside ? room.view(first, wanted.shape()) : null;
  }

  /// Forgets them.
  void forget() {
    source = null;
  }
}
