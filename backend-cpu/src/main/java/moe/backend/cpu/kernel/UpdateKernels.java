package moe.backend.cpu.kernel;

/// The inner loop of AdamW.
interface UpdateKernels {
  /// The operands and numbers of one step.
  final class Step {
    Floats parameter = Floats.NONE;
    Floats gradient = Floats.NONE;
    Floats first = Floats.NONE;
    Floats second = Floats.NONE;
    float beta1;
    float beta2;
    float epsilon;

    /// Learning rate times weight decay.
    float decay;

    /// Learning rate times the correction of the first moment.
    float rate;

    float correction2;
  }

  /// Updates the elements `from` to `to`: `m += (1 − beta1)·(g − m)`, `v += (1 − beta2)·(g² − v)`,
  /// `p −= decay·p + rate·m / (√(v·correction2) + ε)`.
  void adamW(Step step, int from, int to);
}
