package moe.engine.train;

import java.util.Optional;
import moe.engine.model.Gpt2;
import moe.engine.model.Gpt2Pass;
import moe.engine.model.Replay;
import moe.spi.device.DeviceStream;
import moe.spi.device.RecordableOps;

/// The device's work of a training step, with nobody waiting for it in the middle: the device
/// itself limits the gradients, and leaves the weights alone where they are no numbers.
///
/// `begin`, then `part` for each part of the step, then `update`.
final class UnattendedStep implements AutoCloseable {
  private final Replay begin;
  private final Replay part;
  private final Replay update;

  private UnattendedStep(
      Gpt2 model,
      Gpt2Pass pass,
      AdamWOptimizer optimizer,
      GradientNorm gradients,
      TrainingPlan plan,
      RecordableOps ops) {
    DeviceStream stream = model.stream();
    double share = 1.0 / plan.accumulate();
    float limit = (float) plan.clip();
    begin = new Replay(stream, model::zeroGradients);
    part =
        new Replay(
            stream,
            () -> {
              pass.forward();
              pass.backward(share);
            });
    update =
        new Replay(
            stream,
            () -> {
              gradients.limit(ops, pass.losses(), limit, optimizer.schedule());
              optimizer.update();
            });
  }

  /// Empty where the device cannot do without the host.
  static Optional<UnattendedStep> of(
      Gpt2 model,
      Gpt2Pass pass,
      AdamWOptimizer optimizer,
      GradientNorm gradients,
      TrainingPlan plan) {
    return model
        .backend()
        .dense()
        .recordable()
        .map(ops -> new UnattendedStep(model, pass, optimizer, gradients, plan, ops));
  }

  /// Sets gradients to zero.
  ///
  /// @param split whether somebody times the parts of this step
  void begin(boolean split) {
    run(begin, split);
  }

  /// Adds the gradients of the loaded batch; all batches have as many targets.
  void part(boolean split) {
    run(part, split);
  }

  /// Moves the weights, by the schedule that the optimizer planned.
  void update(boolean split) {
    run(update, split);
  }

  private static void run(Replay work, boolean split) {
    if (split) {
      work.runAsItIs();
    } else {
      work.run();
    }
  }

  /// Whether a part of the step could not be recorded, so that it takes the host longer.
  boolean refused() {
    return begin.refused() || part.refused() || update.refused();
  }

  @Override
  public void close() {
    begin.close();
    part.close();
    update.close();
  }
}
