package moe.backend.cpu.kernel;

/// Arrays of one thread that outlive a job: they grow to the largest size asked for and stay.
///
/// Contents are undefined at the start of a job. A slot belongs to the job that is running.
public final class Scratch {
  private static final int SLOTS = 6;

  /// For attention, which has more to keep track of than arrays.
  final AttentionScratch attention = new AttentionScratch();

  private final float[][] floats = new float[SLOTS][0];
  private int[] rows = {};

  /// The array of a slot.
  ///
  /// @param slot 0 to 5
  /// @param length the least length; the array may be longer
  public float[] floats(int slot, int length) {
    if (floats[slot].length < length) {
      floats[slot] = new float[length];
    }
    return floats[slot];
  }

  /// Where some rows begin, for `TileKernels.columns` and `strips`.
  ///
  /// @param length the least length; the array may be longer
  int[] rows(int length) {
    if (rows.length < length) {
      rows = new int[length];
    }
    return rows;
  }
}
