package moe.backend.cpu.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Random;

/// Random operands of one grouped linear layer, and its products in double precision.
///
/// Rows are read through assignments into a smaller array, as a MoE dispatch does, and every array
/// has a stride and NaN outside of what may be read.
final class LinearCase {
  static final int TOP_K = 2;
  final int groups;
  final int out;
  final int in;
  final int[] offsets;
  final int rows;
  final int[] assignments;
  final float[] weights;
  final float[] bias;
  final float[] x;
  final float[] dY;
  final float[] gates;
  final int inStride;
  final int outStride;

  LinearCase(int out, int in, int... counts) {
    Random random = new Random(out * 31L + in);
    groups = counts.length;
    this.out = out;
    this.in = in;
    offsets = new int[groups + 1];
    for (int g = 0; g < groups; g++) {
      offsets[g + 1] = offsets[g] + counts[g];
    }
    rows = offsets[groups];
    int tokens = rows / TOP_K + 1;
    assignments = random.ints(rows, 0, tokens * TOP_K).toArray();
    inStride = in + 3;
    outStride = out + 1;
    weights = bf16(normal(random, groups * out * in));
    bias = normal(random, groups * out);
    x = spaced(normal(random, Math.max(tokens, rows) * inStride), in, inStride);
    dY = spaced(normal(random, Math.max(tokens, rows) * outStride), out, outStride);
    gates = normal(random, tokens * TOP_K);
  }

  short[] shortWeights() {
    short[] halves = new short[weights.length];
    for (int i = 0; i < halves.length; i++) {
      halves[i] = (short) (Float.floatToRawIntBits(weights[i]) >>> 16);
    }
    return halves;
  }

  /// A sum in double and the sum of its terms' absolute values, from which its error bound follows.
  static final class Sum {
    double value;
    double absolute;
    int terms;

    void add(double term) {
      value += term;
      absolute += Math.abs(term);
      terms++;
    }

    /// Any order of rounded additions of rounded products stays within terms·2⁻²⁴ of the absolute
    /// sum (Higham, Accuracy and Stability, 3.1); 4 more for gate, bias and the store.
    void check(float actual, String where) {
      double bound = (terms + 4) * 0x1p-24 * absolute;
      assertThat((double) actual).as(where).isBetween(value - bound, value + bound);
    }
  }

  Sum forward(int g, int r, int i, boolean gathered) {
    Sum sum = new Sum();
    int row = gathered ? assignments[r] / TOP_K : r;
    for (int p = 0; p < in; p++) {
      sum.add((double) x[row * inStride + p] * weights[(g * out + i) * in + p]);
    }
    return sum;
  }

  Sum backwardInput(int g, int r, int p, boolean gathered) {
    Sum sum = new Sum();
    for (int i = 0; i < out; i++) {
      sum.add(gradient(r, i, gathered) * weights[(g * out + i) * in + p]);
    }
    return sum;
  }

  Sum backwardWeight(int g, int i, int p, boolean gathered) {
    Sum sum = new Sum();
    for (int r = offsets[g]; r < offsets[g + 1]; r++) {
      int row = gathered ? assignments[r] / TOP_K : r;
      sum.add(gradient(r, i, gathered) * x[row * inStride + p]);
    }
    return sum;
  }

  Sum backwardBias(int g, int i, boolean gathered) {
    Sum sum = new Sum();
    for (int r = offsets[g]; r < offsets[g + 1]; r++) {
      sum.add(gradient(r, i, gathered));
    }
    return sum;
  }

  /// The gradient of row r, gated where gathered.
  double gradient(int r, int i, boolean gathered) {
    int a = assignments[r];
    return gathered ? (double) gates[a] * dY[a / TOP_K * outStride + i] : dY[r * outStride + i];
  }

  int group(int r) {
    int g = 0;
    while (offsets[g + 1] <= r) {
      g++;
    }
    return g;
  }

  static Floats place(float[] array) {
    return new Floats(array, 0);
  }

  static Ints place(int[] array) {
    return new Ints(array, 0);
  }

  static Halves place(short[] array) {
    return new Halves(array, 0);
  }

  static float[] normal(Random random, int length) {
    float[] values = new float[length];
    for (int i = 0; i < length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  static float[] filled(int length, float value) {
    float[] values = new float[length];
    Arrays.fill(values, value);
    return values;
  }

  private static float[] bf16(float[] values) {
    for (int i = 0; i < values.length; i++) {
      values[i] = Float.intBitsToFloat(Float.floatToRawIntBits(values[i]) & 0xFFFF0000);
    }
    return values;
  }

  private static float[] spaced(float[] values, int width, int stride) {
    for (int i = 0; i < values.length; i++) {
      if (i % stride >= width) {
        values[i] = Float.NaN;
      }
    }
    return values;
  }
}
