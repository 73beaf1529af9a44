package moe.backend.cpu.kernel;

/// The scalar twin of `VectorPeakKernels`.
final class ScalarPeakKernels implements PeakKernels {
  @Override
  public int operations() {
    return 2 * 4;
  }

  @Override
  public float multiplyAdds(int rounds) {
    float x = 0.999f;
    float s0 = 1;
    float s1 = 2;
    float s2 = 3;
    float s3 = 4;
    for (int i = 0; i < rounds; i++) {
      s0 = s0 * x + x;
      s1 = s1 * x + x;
      s2 = s2 * x + x;
      s3 = s3 * x + x;
    }
    return s0 + s1 + s2 + s3;
  }
}
