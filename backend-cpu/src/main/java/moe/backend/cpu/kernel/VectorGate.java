package moe.backend.cpu.kernel;

import static moe.backend.cpu.kernel.Lanes.COUNT;
import static moe.backend.cpu.kernel.Lanes.F32;
import static moe.backend.cpu.kernel.VectorMath.LN2_HIGH;
import static moe.backend.cpu.kernel.VectorMath.LN2_LOW;
import static moe.backend.cpu.kernel.VectorMath.LOG2_E;
import static moe.backend.cpu.kernel.VectorMath.ROUND;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/// GELU and SiLU on vectors: both are `x / (1 + e^z)` with `z = x·(linear + cubic·x²)`.
///
/// The loops call nothing but the Vector API, so that they stay fast whatever C2 inlines them into
/// (see `VectorMath`). They need multiply-add instructions.
final class VectorGate {
  private VectorGate() {}

  /// `y[i] = x[i] / (1 + e^z)` for `n` elements, a multiple of the lanes; `y` may be `x`.
  static void forward(Gate gate, float[] x, int xOffset, float[] y, int yOffset, int n) {
    float limit = gate.limit();
    float linear = gate.linear();
    float cubic = gate.cubic();
    for (int i = 0; i < n; i += COUNT) {
      FloatVector raw = FloatVector.fromArray(F32, x, xOffset + i);
      FloatVector above = raw.blend(-limit, raw.compare(VectorOperators.LT, -limit));
      FloatVector v = above.blend(limit, above.compare(VectorOperators.GT, limit));
      FloatVector z =
          v.mul(v)
              .fma(FloatVector.broadcast(F32, cubic), FloatVector.broadcast(F32, linear))
              .mul(v);
      // e^z as in VectorMath.exp; the limits keep it within the floats.
      FloatVector shifted =
          z.fma(FloatVector.broadcast(F32, LOG2_E), FloatVector.broadcast(F32, ROUND));
      FloatVector whole = shifted.sub(ROUND);
      FloatVector r = whole.fma(FloatVector.broadcast(F32, -LN2_HIGH), z);
      r = whole.fma(FloatVector.broadcast(F32, -LN2_LOW), r);
      FloatVector t =
          FloatVector.broadcast(F32, 1f / 5040).fma(r, FloatVector.broadcast(F32, 1f / 720));
      t = t.fma(r, FloatVector.broadcast(F32, 1f / 120));
      t = t.fma(r, FloatVector.broadcast(F32, 1f / 24));
      t = t.fma(r, FloatVector.broadcast(F32, 1f / 6));
      t = t.fma(r, FloatVector.broadcast(F32, 0.5f));
      t = t.fma(r.mul(r), r).add(1f);
      FloatVector e =
          shifted
              .reinterpretAsInts()
              .lanewise(VectorOperators.LSHL, 23)
              .add(127 << 23)
              .reinterpretAsFloats()
              .mul(t);
      above.div(e.add(1f)).intoArray(y, yOffset + i);
    }
  }

  /// `y[i] = d[i] · (s + v·z′·…)`: the derivative of `forward` at `x[i]` times `d[i]`.
  static void backward(
      Gate gate, float[] x, int xOffset, float[] d, int dOffset, float[] y, int yOffset, int n) {
    float limit = gate.limit();
    float linear = gate.linear();
    float cubic = gate.cubic();
    for (int i = 0; i < n; i += COUNT) {
      FloatVector v = FloatVector.fromArray(F32, x, xOffset + i);
      v = v.blend(-limit, v.compare(VectorOperators.LT, -limit));
      v = v.blend(limit, v.compare(VectorOperators.GT, limit));
      FloatVector square = v.mul(v);
      FloatVector z =
          square.fma(FloatVector.broadcast(F32, cubic), FloatVector.broadcast(F32, linear)).mul(v);
      // e^z as in VectorMath.exp; the limits keep it within the floats.
      FloatVector shifted =
          z.fma(FloatVector.broadcast(F32, LOG2_E), FloatVector.broadcast(F32, ROUND));
      FloatVector whole = shifted.sub(ROUND);
      FloatVector r = whole.fma(FloatVector.broadcast(F32, -LN2_HIGH), z);
      r = whole.fma(FloatVector.broadcast(F32, -LN2_LOW), r);
      FloatVector t =
          FloatVector.broadcast(F32, 1f / 5040).fma(r, FloatVector.broadcast(F32, 1f / 720));
      t = t.fma(r, FloatVector.broadcast(F32, 1f / 120));
      t = t.fma(r, FloatVector.broadcast(F32, 1f / 24));
      t = t.fma(r, FloatVector.broadcast(F32, 1f / 6));
      t = t.fma(r, FloatVector.broadcast(F32, 0.5f));
      t = t.fma(r.mul(r), r).add(1f);
      FloatVector e =
          shifted
              .reinterpretAsInts()
              .lanewise(VectorOperators.LSHL, 23)
              .add(127 << 23)
              .reinterpretAsFloats()
              .mul(t);
      // With s = 1 / (1 + e^z): s′ = −z′·s·(1 − s), and 1 − s = e^z·s without cancellation.
      FloatVector s = FloatVector.broadcast(F32, 1f).div(e.add(1f));
      FloatVector slope =
          square.fma(FloatVector.broadcast(F32, -3 * cubic), FloatVector.broadcast(F32, -linear));
      FloatVector derivative = v.mul(slope).mul(s).fma(e.mul(s), s);
      FloatVector.fromArray(F32, d, dOffset + i).mul(derivative).intoArray(y, yOffset + i);
    }
  }
}
