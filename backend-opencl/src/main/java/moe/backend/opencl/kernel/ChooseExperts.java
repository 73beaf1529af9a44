package moe.backend.opencl.kernel;

/// The best experts of each token and their gates, and the gradient of this. Confined to one
/// thread.
public final class ChooseExperts {
  private final JavaKernel choose;
  private final JavaKernel gradient;
  private final int experts;
  private final int topK;

  public ChooseExperts(Kernels kernels, int experts, int topK) {
    choose = kernels.translated(new ChooseExpertsKernel());
    gradient = kernels.translated(new RouterGradientKernel());
    this.experts = experts;
    this.topK = topK;
  }

  /// Fills `ids [tokens, topK]` and `gates [tokens, topK]` from `logits [tokens, experts]`.
  ///
  /// @param bias `[experts]`, added to the logits for the choice alone
  public void run(
      Region logits, int tokens, Region bias, Region ids, Region gates, WorkQueue queue) {
    choose
        .array("logits", logits)
        .array("bias", bias)
        .array("ids", ids)
        .array("gates", gates)
        .whole("tokens", tokens)
        .whole("experts", experts)
        .whole("topK", topK)
        .items(queue, tokens);
  }

  /// Fills `dLogits [tokens, experts]`.
  public void backward(
      Region ids, Region gates, Region dGates, int tokens, Region dLogits, WorkQueue queue) {
    gradient
        .array("ids", ids)
        .array("gates", gates)
        .array("dGates", dGates)
        .array("dLogits", dLogits)
        .whole("tokens", tokens)
        .whole("experts", experts)
        .whole("topK", topK)
        .items(queue, tokens);
  }
}
