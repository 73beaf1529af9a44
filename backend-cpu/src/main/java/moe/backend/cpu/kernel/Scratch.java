package moe.backend.cpu.kernel;

/// Arrays of one thread that outlive a job: they grow to the largest size asked for and stay.
///
/// Contents are undefined at the start of a job. A slot belongs to the job that is running.
public final class Scratch {
  private static final int SLOTS = 6;
  private static final int MOST_LANES = 16;

  /// For attention, which has more to keep track of than arrays.
  final AttentionScratch attention = new AttentionScratch();

  /// Where some rows begin, for `TileKernels.columns`.
  final int[] rows = new int[MOST_LANES];

  private final float[][] floats = new float[SLOTS][0];

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
}
