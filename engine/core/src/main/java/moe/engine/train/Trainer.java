package moe.engine.train;

import java.util.Optional;
import moe.engine.metrics.StepMetrics;
import moe.engine.model.Gpt2;
import moe.engine.model.Gpt2Pass;
import moe.engine.model.NonFinite;
import moe.engine.text.Batches;
import org.jspecify.annotations.Nullable;

/// Trains a model step by step: batches, forward, backward, clipping, AdamW, balance.
///
/// A step is a function of its number, the weights and the optimizer's state: so a run that goes on
/// from a checkpoint repeats the undisturbed one.
public final class Trainer implements AutoCloseable {
  private final AdamWOptimizer optimizer;
  private final Gpt2Pass pass;
  private final StepParts parts;
  private final Steps steps;

  /// @param model made for training
  /// @param optimizer over its parameters, closed with this, also where this cannot be made
  /// @param balance empty for none
  public Trainer(
      Gpt2 model,
      Batches batches,
      TrainingPlan plan,
      AdamWOptimizer optimizer,
      Optional<BiasBalance> balance) {
    this.optimizer = optimizer;
    @Nullable Gpt2Pass activations = null;
    boolean complete = false;
    try {
      activations = model.trainingPass(plan.batch(), plan.seqLength());
      pass = activations;
      parts = new StepParts(model, batches, plan, optimizer, pass, balance.orElse(null));
      steps = steps(parts);
      complete = true;
    } finally {
      if (!complete) {
        close(optimizer, activations);
      }
    }
  }

  private static Steps steps(StepParts parts) {
    if (parts.plan().propagate()) { // a device alone propagates no NaN
      return new HostSteps(parts);
    }
    return parts
        .model()
        .backend()
        .dense()
        .recordable()
        .<Steps>map(ops -> new DeviceSteps(parts, new UnattendedStep(parts, ops)))
        .orElseGet(() -> new HostSteps(parts));
  }

  /// Makes one step. If its loss or gradient is not finite, the weights stay as they were, unless
  /// the plan says otherwise.
  ///
  /// @param step from 1 on
  public StepMetrics step(int step) {
    return step(step, false);
  }

  /// As `step`.
  ///
  /// @param next whether the step after it follows with nothing in between: neither a look at the
  ///   model nor a change of it. Then that one may be under way when this returns.
  public StepMetrics step(int step, boolean next) {
    return steps.step(step, next);
  }

  /// Whether the step after the last is under way already, and has to be made.
  public boolean isAhead() {
    return steps.isAhead();
  }

  /// Goes through a batch forward and backward, so that all that this takes of the device's memory
  /// is taken. The gradients are of no use then.
  public void rehearse() {
    parts.loadAny();
    pass.forward();
    pass.backward();
  }

  /// What makes steps slower here than they need be, in words for the user.
  public Optional<String> note() {
    return steps.refused()
        ? Optional.of(
            "steps are issued call by call: a stage waits for the device, so they cannot be"
                + " recorded")
        : Optional.empty();
  }

  /// Where the loss of the last step first became NaN or infinite.
  public Optional<NonFinite> firstNonFinite() {
    return steps.firstNonFinite();
  }

  /// The optimizer, for checkpoints.
  public AdamWOptimizer optimizer() {
    return optimizer;
  }

  @Override
  public void close() {
    steps.close();
    close(optimizer, pass);
  }

  private static void close(AdamWOptimizer optimizer, @Nullable Gpt2Pass pass) {
    try (optimizer;
        pass) {
      // closes both
    }
  }
}
