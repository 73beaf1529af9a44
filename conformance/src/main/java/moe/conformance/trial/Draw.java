package moe.conformance.trial;

import java.util.Random;

/// Seeded random numbers that a type can hold exactly, as doubles.
public final class Draw {
  private final Random random;

  public Draw(long seed) {
    random = new Random(seed);
  }

  /// Normal numbers, rounded to float32.
  public double[] normal(int n, double deviation) {
    double[] values = new double[n];
    for (int i = 0; i < n; i++) {
      values[i] = (float) (random.nextGaussian() * deviation);
    }
    return values;
  }

  /// Normal numbers, rounded to float32.
  public double[] normal(int n) {
    return normal(n, 1);
  }

  /// Normal numbers, cut to bfloat16.
  public double[] halves(int n, double deviation) {
    double[] values = normal(n, deviation);
    for (int i = 0; i < n; i++) {
      values[i] = Float.intBitsToFloat(Float.floatToRawIntBits((float) values[i]) & 0xffff_0000);
    }
    return values;
  }

  /// Multiples of 1/8 between −1 and 1: sums of their products are exact in float32, in any order.
  public double[] eighths(int n) {
    double[] values = new double[n];
    for (int i = 0; i < n; i++) {
      values[i] = (random.nextInt(17) - 8) / 8.0;
    }
    return values;
  }

  /// Whole numbers from 0 to `bound − 1`.
  public int[] below(int bound, int n) {
    int[] values = new int[n];
    for (int i = 0; i < n; i++) {
      values[i] = random.nextInt(bound);
    }
    return values;
  }

  /// The numbers from 0 to `n − 1` in random order.
  public int[] shuffled(int n) {
    int[] values = new int[n];
    for (int i = 0; i < n; i++) {
      int other = random.nextInt(i + 1);
      values[i] = values[other];
      values[other] = i;
    }
    return values;
  }
}
