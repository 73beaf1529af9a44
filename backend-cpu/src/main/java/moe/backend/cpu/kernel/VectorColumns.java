package moe.backend.cpu.kernel;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/// Transposes 8 × 8 numbers in registers: halves of 4, 2 and then 1 lanes change places between two
/// rows, by one rotation and three choices each.
final class VectorColumns {
  static final int WIDTH = 8;

  private static final VectorSpecies<Float> EIGHT = FloatVector.SPECIES_256;
  private static final VectorShuffle<Float> BY_4 = VectorShuffle.fromOp(EIGHT, lane -> lane ^ 4);
  private static final VectorShuffle<Float> BY_2 = VectorShuffle.fromOp(EIGHT, lane -> lane ^ 2);
  private static final VectorShuffle<Float> BY_1 = VectorShuffle.fromOp(EIGHT, lane -> lane ^ 1);
  private static final VectorMask<Float> UPPER_4 = VectorMask.fromLong(EIGHT, 0xF0);
  private static final VectorMask<Float> UPPER_2 = VectorMask.fromLong(EIGHT, 0xCC);
  private static final VectorMask<Float> UPPER_1 = VectorMask.fromLong(EIGHT, 0xAA);

  private VectorColumns() {}

  /// `y[yOffset + p·yPitch + i] = x[rows[first + i] + p]` for 8 rows, and p below `steps` rounded
  /// down to a multiple of 8.
  static void run(float[] x, int[] rows, int first, int steps, float[] y, int yOffset, int yPitch) {
    int x0 = rows[first + 0];
    int x1 = rows[first + 1];
    int x2 = rows[first + 2];
    int x3 = rows[first + 3];
    int x4 = rows[first + 4];
    int x5 = rows[first + 5];
    int x6 = rows[first + 6];
    int x7 = rows[first + 7];
    int to = yOffset;
    for (int p = 0; p < EIGHT.loopBound(steps); p += WIDTH) {
      FloatVector r0 = FloatVector.fromArray(EIGHT, x, x0 + p);
      FloatVector r1 = FloatVector.fromArray(EIGHT, x, x1 + p);
      FloatVector r2 = FloatVector.fromArray(EIGHT, x, x2 + p);
      FloatVector r3 = FloatVector.fromArray(EIGHT, x, x3 + p);
      FloatVector r4 = FloatVector.fromArray(EIGHT, x, x4 + p);
      FloatVector r5 = FloatVector.fromArray(EIGHT, x, x5 + p);
      FloatVector r6 = FloatVector.fromArray(EIGHT, x, x6 + p);
      FloatVector r7 = FloatVector.fromArray(EIGHT, x, x7 + p);
      FloatVector s0 = r4.blend(r0, UPPER_4).rearrange(BY_4);
      FloatVector s4 = s0.blend(r4, UPPER_4);
      s0 = r0.blend(s0, UPPER_4);
      FloatVector s1 = r5.blend(r1, UPPER_4).rearrange(BY_4);
      FloatVector s5 = s1.blend(r5, UPPER_4);
      s1 = r1.blend(s1, UPPER_4);
      FloatVector s2 = r6.blend(r2, UPPER_4).rearrange(BY_4);
      FloatVector s6 = s2.blend(r6, UPPER_4);
      s2 = r2.blend(s2, UPPER_4);
      FloatVector s3 = r7.blend(r3, UPPER_4).rearrange(BY_4);
      FloatVector s7 = s3.blend(r7, UPPER_4);
      s3 = r3.blend(s3, UPPER_4);
      FloatVector t0 = s2.blend(s0, UPPER_2).rearrange(BY_2);
      FloatVector t2 = t0.blend(s2, UPPER_2);
      t0 = s0.blend(t0, UPPER_2);
      FloatVector t1 = s3.blend(s1, UPPER_2).rearrange(BY_2);
      FloatVector t3 = t1.blend(s3, UPPER_2);
      t1 = s1.blend(t1, UPPER_2);
      FloatVector t4 = s6.blend(s4, UPPER_2).rearrange(BY_2);
      FloatVector t6 = t4.blend(s6, UPPER_2);
      t4 = s4.blend(t4, UPPER_2);
      FloatVector t5 = s7.blend(s5, UPPER_2).rearrange(BY_2);
      FloatVector t7 = t5.blend(s7, UPPER_2);
      t5 = s5.blend(t5, UPPER_2);
      FloatVector u0 = t1.blend(t0, UPPER_1).rearrange(BY_1);
      FloatVector u1 = u0.blend(t1, UPPER_1);
      u0 = t0.blend(u0, UPPER_1);
      FloatVector u2 = t3.blend(t2, UPPER_1).rearrange(BY_1);
      FloatVector u3 = u2.blend(t3, UPPER_1);
      u2 = t2.blend(u2, UPPER_1);
      FloatVector u4 = t5.blend(t4, UPPER_1).rearrange(BY_1);
      FloatVector u5 = u4.blend(t5, UPPER_1);
      u4 = t4.blend(u4, UPPER_1);
      FloatVector u6 = t7.blend(t6, UPPER_1).rearrange(BY_1);
      FloatVector u7 = u6.blend(t7, UPPER_1);
      u6 = t6.blend(u6, UPPER_1);
      u0.intoArray(y, to);
      u1.intoArray(y, to + yPitch);
      u2.intoArray(y, to + 2 * yPitch);
      u3.intoArray(y, to + 3 * yPitch);
      u4.intoArray(y, to + 4 * yPitch);
      u5.intoArray(y, to + 5 * yPitch);
      u6.intoArray(y, to + 6 * yPitch);
      u7.intoArray(y, to + 7 * yPitch);
      to += 8 * yPitch;
    }
  }
}
