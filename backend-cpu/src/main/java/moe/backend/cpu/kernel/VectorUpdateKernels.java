package moe.backend.cpu.kernel;

import static moe.backend.cpu.kernel.Lanes.F32;
import static moe.backend.cpu.kernel.Lanes.FMA;

import jdk.incubator.vector.FloatVector;

/// The loop of AdamW on vectors; the tail goes to the scalar twin.
final class VectorUpdateKernels implements UpdateKernels {
  private final ScalarUpdateKernels scalar = new ScalarUpdateKernels();

  @Override
  public void adamW(Step s, int from, int to) {
    float[] parameters = s.parameter.array();
    float[] gradients = s.gradient.array();
    float[] firsts = s.first.array();
    float[] seconds = s.second.array();
    int parameterAt = s.parameter.at();
    int gradientAt = s.gradient.at();
    int firstAt = s.first.at();
    int secondAt = s.second.at();
    FloatVector new1 = FloatVector.broadcast(F32, 1 - s.beta1);
    FloatVector new2 = FloatVector.broadcast(F32, 1 - s.beta2);
    FloatVector rate = FloatVector.broadcast(F32, s.rate);
    FloatVector kept = FloatVector.broadcast(F32, 1 - s.decay);
    int i = from;
    for (; i <= to - Lanes.COUNT; i += Lanes.COUNT) {
      FloatVector g = FloatVector.fromArray(F32, gradients, gradientAt + i);
      FloatVector m = FloatVector.fromArray(F32, firsts, firstAt + i);
      FloatVector v = FloatVector.fromArray(F32, seconds, secondAt + i);
      FloatVector p = FloatVector.fromArray(F32, parameters, parameterAt + i);
      FloatVector dM = g.sub(m);
      FloatVector dV = g.mul(g).sub(v);
      m = FMA ? new1.fma(dM, m) : new1.mul(dM).add(m);
      v = FMA ? new2.fma(dV, v) : new2.mul(dV).add(v);
      m.intoArray(firsts, firstAt + i);
      v.intoArray(seconds, secondAt + i);
      FloatVector step = rate.mul(m).div(v.mul(s.correction2).sqrt().add(s.epsilon));
      p.mul(kept).sub(step).intoArray(parameters, parameterAt + i);
    }
    scalar.adamW(s, i, to);
  }
}
