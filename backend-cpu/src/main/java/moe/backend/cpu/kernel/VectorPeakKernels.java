package moe.backend.cpu.kernel;

import static moe.backend.cpu.kernel.Lanes.F32;
import static moe.backend.cpu.kernel.Lanes.multiplyAdd;

import jdk.incubator.vector.FloatVector;

/// Ten chains of vector multiply-adds: two units of latency four or five keep at most ten busy, and
/// sixteen registers hold ten and the factor.
final class VectorPeakKernels implements PeakKernels {
  @Override
  public int operations() {
    return 2 * 10 * Lanes.COUNT;
  }

  @Override
  public float multiplyAdds(int rounds) {
    FloatVector x = FloatVector.broadcast(F32, 0.999f);
    FloatVector s0 = x;
    FloatVector s1 = x;
    FloatVector s2 = x;
    FloatVector s3 = x;
    FloatVector s4 = x;
    FloatVector s5 = x;
    FloatVector s6 = x;
    FloatVector s7 = x;
    FloatVector s8 = x;
    FloatVector s9 = x;
    for (int i = 0; i < rounds; i++) {
      s0 = multiplyAdd(s0, x, x);
      s1 = multiplyAdd(s1, x, x);
      s2 = multiplyAdd(s2, x, x);
      s3 = multiplyAdd(s3, x, x);
      s4 = multiplyAdd(s4, x, x);
      s5 = multiplyAdd(s5, x, x);
      s6 = multiplyAdd(s6, x, x);
      s7 = multiplyAdd(s7, x, x);
      s8 = multiplyAdd(s8, x, x);
      s9 = multiplyAdd(s9, x, x);
    }
    FloatVector sum = s0.add(s1).add(s2.add(s3)).add(s4.add(s5)).add(s6.add(s7)).add(s8.add(s9));
    return Lanes.sum(sum);
  }
}
