package moe.engine.train;

import moe.engine.model.Gpt2;
import moe.engine.model.Gpt2Pass;

/// One step of training: zero the gradients, forward, backward, update.
///
/// @param model made for training
/// @param pass a training pass of the model
/// @param optimizer over the model's parameters
public record TrainingStep(Gpt2 model, Gpt2Pass pass, AdamWOptimizer optimizer) {
  /// Runs a step on a batch; allocates nothing, and waits only where `Gpt2Pass.loss` is asked for.
  ///
  /// @param ids `[batch, seqLength]` from `offset` on
  /// @param rate the learning rate
  public void run(int[] ids, int offset, double rate) {
    gradients(ids, offset);
    optimizer.step(rate);
  }

  /// The part of a step before the update.
  public void gradients(int[] ids, int offset) {
    pass.load(ids, offset);
    model.zeroGradients();
    pass.forward();
    pass.backward();
  }
}
