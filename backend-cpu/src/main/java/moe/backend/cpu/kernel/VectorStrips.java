package moe.backend.cpu.kernel;

import static moe.backend.cpu.kernel.VectorTileKernels.PITCH;
import static moe.backend.cpu.kernel.VectorTileKernels.STEP;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/// Cuts columns out of rows for packed tiles, four rows at a time: memory is not waited for row by
/// row, and lines are written as a whole.
final class VectorStrips {
  private static final VectorSpecies<Float> SPECIES =
      STEP == PITCH ? FloatVector.SPECIES_256 : Lanes.F32;

  private VectorStrips() {}

  /// `TileKernels.strips` for tiles of `height` rows.
  static void run(
      float[] x, int[] at, float[] factors, int rows, int width, int height, float[] a) {
    // Strips whose last vector still lies within the width.
    int whole = width < PITCH ? 0 : (width - PITCH) / height + 1;
    int row = 0;
    for (; row <= rows - 4; row += 4) {
      four(x, at, factors, row, rows, whole, height, a);
    }
    for (; row < rows; row++) {
      for (int i = 0; i < whole * height; i++) {
        a[(i / height * rows + row) * PITCH + i % height] = factors[row] * x[at[row] + i];
      }
    }
    for (int i = whole * height; i < width; i++) {
      int to = i / height * rows * PITCH + i % height;
      for (row = 0; row < rows; row++) {
        a[to + row * PITCH] = factors[row] * x[at[row] + i];
      }
    }
  }

  private static void four(
      float[] x, int[] at, float[] factors, int row, int rows, int strips, int height, float[] a) {
    int x0 = at[row];
    int x1 = at[row + 1];
    int x2 = at[row + 2];
    int x3 = at[row + 3];
    float f0 = factors[row];
    float f1 = factors[row + 1];
    float f2 = factors[row + 2];
    float f3 = factors[row + 3];
    for (int strip = 0; strip < strips; strip++) {
      int to = (strip * rows + row) * PITCH;
      int i = strip * height;
      for (int j = 0; j < PITCH; j += STEP) {
        FloatVector v0 = FloatVector.fromArray(SPECIES, x, x0 + i + j).mul(f0);
        FloatVector v1 = FloatVector.fromArray(SPECIES, x, x1 + i + j).mul(f1);
        FloatVector v2 = FloatVector.fromArray(SPECIES, x, x2 + i + j).mul(f2);
        FloatVector v3 = FloatVector.fromArray(SPECIES, x, x3 + i + j).mul(f3);
        v0.intoArray(a, to + j);
        v1.intoArray(a, to + PITCH + j);
        v2.intoArray(a, to + 2 * PITCH + j);
        v3.intoArray(a, to + 3 * PITCH + j);
      }
    }
  }

  /// `TileKernels.stripSums`: four sums side by side, one chain would wait for each addition.
  static void sums(float[] a, int aOffset, int rows, float[] sums) {
    for (int j = 0; j < PITCH; j += STEP) {
      FloatVector s0 = FloatVector.zero(SPECIES);
      FloatVector s1 = s0;
      FloatVector s2 = s0;
      FloatVector s3 = s0;
      int row = 0;
      int at = aOffset + j;
      for (; row <= rows - 4; row += 4, at += 4 * PITCH) {
        s0 = s0.add(FloatVector.fromArray(SPECIES, a, at));
        s1 = s1.add(FloatVector.fromArray(SPECIES, a, at + PITCH));
        s2 = s2.add(FloatVector.fromArray(SPECIES, a, at + 2 * PITCH));
        s3 = s3.add(FloatVector.fromArray(SPECIES, a, at + 3 * PITCH));
      }
      for (; row < rows; row++, at += PITCH) {
        s0 = s0.add(FloatVector.fromArray(SPECIES, a, at));
      }
      s0.add(s1).add(s2.add(s3)).intoArray(sums, j);
    }
  }
}
