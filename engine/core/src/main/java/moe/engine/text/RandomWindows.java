package moe.engine.text;

/// Windows at places drawn evenly and independently from all of a text.
///
/// Window `w` (the batch's number times `batch`, plus the row) starts at the high half of the
/// 128-bit product of `r` and the number of places, where `r` is the `w`-th number, counted from 0,
/// that `new java.util.SplittableRandom(seed).nextLong()` gives. That generator (Steele, Lea, Flood
/// 2014, "Fast splittable pseudorandom number generators") mixes a counter, so any number of the
/// sequence is there at once. How often a place is drawn differs by less than 2^-33 of its share.
final class RandomWindows implements Batches {
  private static final long GOLDEN_GAMMA = 0x9E3779B97F4A7C15L;

  private final TokenSpan text;
  private final int batch;
  private final int seqLength;
  private final long seed;
  private final int places;

  RandomWindows(TokenSpan text, int batch, int seqLength, long seed) {
    text.requireSequence(seqLength);
    this.text = text;
    this.batch = batch;
    this.seqLength = seqLength;
    this.seed = seed;
    this.places = text.length() - seqLength + 1;
  }

  @Override
  public void fill(long number, int[] ids) {
    for (int row = 0; row < batch; row++) {
      text.copy(start(number * batch + row), ids, row * seqLength, seqLength);
    }
  }

  private int start(long window) {
    return (int) Math.unsignedMultiplyHigh(random(window), places);
  }

  private long random(long index) {
    long z = seed + (index + 1) * GOLDEN_GAMMA;
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }
}
