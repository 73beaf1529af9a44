package moe.backend.cpu.kernel;

import static moe.backend.cpu.kernel.Lanes.F32;
import static moe.backend.cpu.kernel.Lanes.multiplyAdd;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/// Elementary functions on float vectors.
///
/// Errors against `Math` in double, over all arguments whose result is a normal float: `exp` 2 ulp,
/// `tanh` 4 ulp, `sigmoid` 4 ulp. Infinities and NaN go the way of the scalar functions. `exp`
/// below −86.6 (results under 2⁻¹²⁵) is 0.
///
/// These functions are fast only where C2 inlines them, and it stops inlining into a method that
/// has grown to 18,000 nodes (NodeCountInliningCutoff), callers of its loops included: vectors are
/// then boxed and everything is 30 times slower. Two calls in one method are too many. A loop that
/// calls nothing but the Vector API itself is exempt, as `VectorGate`.
final class VectorMath {
  static final float LOG2_E = 1.442695f;
  // ln 2 in two parts; the first has enough zero bits that n times it is exact.
  static final float LN2_HIGH = 0x1.63p-1f;
  static final float LN2_LOW = -2.12194440e-4f;
  // Adding 1.5·2²³ rounds to the nearest integer, which then stands in the low bits.
  static final float ROUND = 12582912f;

  private VectorMath() {}

  /// `e^x`.
  static FloatVector exp(FloatVector x) {
    FloatVector shifted = multiplyAdd(x, all(LOG2_E), all(ROUND));
    FloatVector r = remainder(x, shifted.sub(ROUND));
    FloatVector y = multiplyAdd(tail(r), r.mul(r), r).add(1f);
    // 2·2^(n − 1), because 2^n for n = 128 is no float.
    return y.add(y)
        .mul(powerOfTwo(shifted, 126))
        .blend(Float.POSITIVE_INFINITY, x.compare(VectorOperators.GT, 88.8f))
        .blend(0f, x.compare(VectorOperators.LT, -86.6f));
  }

  /// The hyperbolic tangent.
  static FloatVector tanh(FloatVector x) {
    FloatVector twice = x.abs().mul(2f);
    FloatVector shifted = multiplyAdd(twice, all(LOG2_E), all(ROUND));
    FloatVector r = remainder(twice, shifted.sub(ROUND));
    FloatVector scale = powerOfTwo(shifted, 127);
    // e^2|x| − 1 without cancellation near 0, where scale is 1.
    FloatVector expm1 = multiplyAdd(scale, multiplyAdd(tail(r), r.mul(r), r), scale.sub(1f));
    FloatVector y = expm1.div(expm1.add(2f)).blend(1f, twice.compare(VectorOperators.GT, 20f));
    VectorMask<Float> negative = x.compare(VectorOperators.LT, 0f);
    return y.blend(y.neg(), negative);
  }

  /// `1 / (1 + e^−x)`.
  static FloatVector sigmoid(FloatVector x) {
    return all(1f).div(exp(x.neg()).add(1f));
  }

  private static FloatVector remainder(FloatVector x, FloatVector n) {
    return multiplyAdd(n, all(-LN2_LOW), multiplyAdd(n, all(-LN2_HIGH), x));
  }

  // (e^r − 1 − r) / r² for |r| ≤ ½ ln 2: the Taylor series to r⁷, remainder below 2⁻²⁷ of e^r.
  private static FloatVector tail(FloatVector r) {
    FloatVector y = all(1f / 5040);
    y = multiplyAdd(y, r, all(1f / 720));
    y = multiplyAdd(y, r, all(1f / 120));
    y = multiplyAdd(y, r, all(1f / 24));
    y = multiplyAdd(y, r, all(1f / 6));
    return multiplyAdd(y, r, all(0.5f));
  }

  // n stands in the low bits of `shifted`; the shift pushes all others out.
  private static FloatVector powerOfTwo(FloatVector shifted, int bias) {
    return shifted
        .reinterpretAsInts()
        .lanewise(VectorOperators.LSHL, 23)
        .add(bias << 23)
        .reinterpretAsFloats();
  }

  private static FloatVector all(float value) {
    return FloatVector.broadcast(F32, value);
  }
}
