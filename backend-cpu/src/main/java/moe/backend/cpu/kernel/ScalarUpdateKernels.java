package moe.backend.cpu.kernel;

/// The scalar twin of `VectorUpdateKernels`.
final class ScalarUpdateKernels implements UpdateKernels {
  @Override
  public void adamW(Step s, int from, int to) {
    float[] parameters = s.parameter.array();
    float[] firsts = s.first.array();
    float[] seconds = s.second.array();
    for (int i = from; i < to; i++) {
      float g = s.gradient.array()[s.gradient.at() + i];
      float m = firsts[s.first.at() + i];
      float v = seconds[s.second.at() + i];
      m += (1 - s.beta1) * (g - m);
      v += (1 - s.beta2) * (g * g - v);
      firsts[s.first.at() + i] = m;
      seconds[s.second.at() + i] = v;
      float p = parameters[s.parameter.at() + i];
      float step = s.rate * m / ((float) Math.sqrt(v * s.correction2) + s.epsilon);
      parameters[s.parameter.at() + i] = p - (s.decay * p + step);
    }
  }
}
