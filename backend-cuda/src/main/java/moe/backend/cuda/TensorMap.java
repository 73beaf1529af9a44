package moe.backend.cuda;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// An array of 16 bits or of float32 as the copy engine of compute capability 9.0 sees it, before
/// the driver encodes it; filled again for each call.
final class TensorMap {
  /// Bytes of an encoded one.
  static final int BYTES = 128;

  private static final int BF16 = 9; // or any other 16 bits: they are only copied
  private static final int TF32 = 11; // float32, rounded as it is copied
  private static final int MOST_RANK = 4;
  private static final int COLUMNS = 64; // of a box, 128 bytes
  private static final int TURN = 8; // rows of one matrix before the other's

  private final MemorySegment extents;
  private final MemorySegment strides;
  private final MemorySegment box;
  private final MemorySegment steps;
  private int rank;
  private int type;
  private long address;

  TensorMap(Arena arena) {
    extents = arena.allocate(JAVA_LONG, MOST_RANK);
    strides = arena.allocate(JAVA_LONG, MOST_RANK - 1L);
    box = arena.allocate(JAVA_INT, MOST_RANK);
    steps = arena.allocate(JAVA_INT, MOST_RANK);
    for (int i = 0; i < MOST_RANK; i++) {
      steps.setAtIndex(JAVA_INT, i, 1);
    }
  }

  /// A matrix by rows.
  ///
  /// @param stride from row to row, in elements
  TensorMap matrix(long from, long columns, long rows, long stride, int boxRows) {
    rank = 2;
    type = BF16;
    address = from;
    dimension(0, columns, COLUMNS);
    dimension(1, rows, boxRows);
    stride(0, 2 * stride);
    return this;
  }

  /// A matrix of float32 by rows, rounded to TF32 on the way.
  TensorMap floats(long from, long columns, long rows, int boxRows) {
    rank = 2;
    type = TF32;
    address = from;
    dimension(0, columns, COLUMNS / 2);
    dimension(1, rows, boxRows);
    stride(0, 4 * columns);
    return this;
  }

  /// Two matrices by rows, in turns of 8 rows of each.
  ///
  /// @param apart bytes from the first to the second
  TensorMap turns(long from, long apart, long columns, long rows) {
    rank = 4;
    type = BF16;
    address = from;
    dimension(0, columns, COLUMNS);
    dimension(1, TURN, TURN);
    dimension(2, 2, 2);
    dimension(3, rows / TURN, TURN);
    stride(0, 2 * columns);
    stride(1, apart);
    stride(2, 2 * TURN * columns);
    return this;
  }

  private void dimension(int index, long extent, int boxed) {
    // The driver refuses an extent of 0: nothing is copied then.
    extents.setAtIndex(JAVA_LONG, index, Math.max(1, extent));
    box.setAtIndex(JAVA_INT, index, boxed);
  }

  private void stride(int index, long bytes) {
    strides.setAtIndex(JAVA_LONG, index, bytes);
  }

  int rank() {
    return rank;
  }

  /// `CUtensorMapDataType` of `cuda.h`.
  int type() {
    return type;
  }

  long address() {
    return address;
  }

  /// Elements of each dimension, the contiguous one first.
  MemorySegment extents() {
    return extents;
  }

  /// Bytes between neighbours of each dimension but the first.
  MemorySegment strides() {
    return strides;
  }

  /// Extents of the boxes that are copied.
  MemorySegment box() {
    return box;
  }

  /// All 1: no element is left out.
  MemorySegment steps() {
    return steps;
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder("a tensor of");
    for (int i = 0; i < rank; i++) {
      text.append(i == 0 ? " " : " x ").append(extents.getAtIndex(JAVA_LONG, i));
    }
    return text.append(" at 0x").append(Long.toHexString(address)).toString();
  }
}
