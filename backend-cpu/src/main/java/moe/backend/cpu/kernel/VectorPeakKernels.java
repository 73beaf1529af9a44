package moe.backend.cpu.kernel;

import static moe.backend.cpu.kernel.Lanes.F32;
import static moe.backend.cpu.kernel.Lanes.FMA;

import jdk.incubator.vector.FloatVector;

/// Ten chains of vector multiply-adds: two units of latency four or five keep at most ten busy, and
/// sixteen registers hold ten and the factors.
final class VectorPeakKernels implements PeakKernels {
  @Override
  public int operations() {
    return 2 * 10 * Lanes.COUNT;
  }

  @Override
  public float multiplyAdds(int rounds) {
    // The sum is what is overwritten, as in a product: other forms need a copy each time.
    FloatVector x = FloatVector.broadcast(F32, 0.5f);
    FloatVector y = FloatVector.broadcast(F32, 1e-3f);
    FloatVector s0 = y;
    FloatVector s1 = y;
    FloatVector s2 = y;
    FloatVector s3 = y;
    FloatVector s4 = y;
    FloatVector s5 = y;
    FloatVector s6 = y;
    FloatVector s7 = y;
    FloatVector s8 = y;
    FloatVector s9 = y;
    for (int i = 0; i < rounds; i++) {
      s0 = FMA ? x.fma(y, s0) : x.mul(y).add(s0);
      s1 = FMA ? x.fma(y, s1) : x.mul(y).add(s1);
      s2 = FMA ? x.fma(y, s2) : x.mul(y).add(s2);
      s3 = FMA ? x.fma(y, s3) : x.mul(y).add(s3);
      s4 = FMA ? x.fma(y, s4) : x.mul(y).add(s4);
      s5 = FMA ? x.fma(y, s5) : x.mul(y).add(s5);
      s6 = FMA ? x.fma(y, s6) : x.mul(y).add(s6);
      s7 = FMA ? x.fma(y, s7) : x.mul(y).add(s7);
      s8 = FMA ? x.fma(y, s8) : x.mul(y).add(s8);
      s9 = FMA ? x.fma(y, s9) : x.mul(y).add(s9);
    }
    FloatVector sum = s0.add(s1).add(s2.add(s3)).add(s4.add(s5)).add(s6.add(s7)).add(s8.add(s9));
    return Lanes.sum(sum);
  }
}
