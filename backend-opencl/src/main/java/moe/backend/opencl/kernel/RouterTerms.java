package moe.backend.opencl.kernel;

/// The auxiliary loss of a router over all logits of a call, and its gradient: `router.cl`.
/// Confined to one thread.
public final class RouterTerms {
  private final ClKernel logSums;
  private final ClKernel shares;
  private final ClKernel losses;
  private final ClKernel gradients;
  private final int experts;
  private final Region logSum;
  private final Region share;
  private final Region balance;

  /// Takes the memory that at most `maxTokens` tokens need.
  public RouterTerms(Kernels kernels, Memory memory, int maxTokens, int experts) {
    logSums = kernels.kernel("router", "log_sums");
    shares = kernels.kernel("router", "shares");
    losses = kernels.kernel("router", "losses");
    gradients = kernels.kernel("router", "loss_gradients");
    this.experts = experts;
    logSum = memory.floats(maxTokens);
    share = memory.floats(experts);
    balance = memory.floats(experts);
  }

  /// Fills `result [2]`: the balance loss and the z-loss, each times its weight.
  ///
  /// @param logits `[tokens, experts]`
  /// @param ids `[slots]`, −1 for an unused slot
  public void losses(
      Region logits,
      int tokens,
      Region ids,
      int slots,
      float balanceWeight,
      float zWeight,
      Region result,
      WorkQueue queue) {
    logSums.begin().region(logits).whole(tokens).whole(experts).region(logSum).items(queue, tokens);
    shares
        .begin()
        .region(ids)
        .whole(slots)
        .region(logits)
        .region(logSum)
        .whole(tokens)
        .whole(experts)
        .region(share)
        .region(balance)
        .rows(queue, experts);
    losses
        .begin()
        .region(balance)
        .region(logSum)
        .whole(tokens)
        .whole(experts)
        .number(balanceWeight)
        .number(zWeight)
        .region(result)
        .rows(queue, 1);
  }

  /// Fills `dLogits [tokens, experts]`, after `losses` of the same logits and weights.
  public void gradients(
      Region logits,
      int tokens,
      float balanceWeight,
      float zWeight,
      Region dLogits,
      WorkQueue queue) {
    gradients
        .begin()
        .region(logits)
        .region(logSum)
        .region(share)
        .whole(tokens)
        .whole(experts)
        .number(balanceWeight)
        .number(zWeight)
        .region(dLogits)
        .items(queue, tokens);
  }
}
