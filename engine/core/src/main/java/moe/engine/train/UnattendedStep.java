package moe.engine.train;

import java.lang.foreign.MemorySegment;
import java.util.Optional;
import moe.engine.metrics.Phase;
import moe.engine.model.Buffers;
import moe.engine.model.Gpt2;
import moe.engine.model.Gpt2Pass;
import moe.engine.model.Replay;
import moe.spi.device.BalanceGroup;
import moe.spi.device.DeviceStream;
import moe.spi.device.ParameterGroup;
import moe.spi.device.RecordableOps;
import moe.spi.device.Tensor;
import org.jspecify.annotations.Nullable;

/// The device's work of a training step, with nobody waiting for it in the middle: the device
/// itself limits the gradients, counts where tokens went and moves the biases of balance, and
/// leaves weights, moments and biases alone where loss or gradients are no numbers.
///
/// `part` for each part of the step, then `update`. After a step that changed nothing the device
/// changes nothing more until `goOn`.
final class UnattendedStep implements AutoCloseable {
  private final DeviceStream stream;
  private final Buffers buffers;
  private final ParameterGroup parameters;
  private final @Nullable BalanceGroup balance;
  private final Tensor squares; // F32 [1]
  private final Tensor factor; // F32 [1]
  private final float[] hostSquares = new float[1];
  private final MemorySegment squaresSegment = MemorySegment.ofArray(hostSquares);
  private final Replay first;
  private final Replay more;
  private final Replay update;

  private UnattendedStep(
      Gpt2 model,
      Gpt2Pass pass,
      AdamWOptimizer optimizer,
      TrainingPlan plan,
      @Nullable BiasBalance biases,
      RecordableOps ops) {
    stream = model.stream();
    buffers = new Buffers(model.backend());
    Tensor losses; // F32 [tokens], of all parts: a sum is no number where a part is none
    @Nullable ParameterGroup group = null;
    boolean complete = false;
    try {
      squares = buffers.f32(1);
      factor = buffers.f32(1);
      losses = plan.accumulate() == 1 ? pass.losses() : buffers.f32(pass.tokens());
      group = optimizer.group(ops);
      balance = biases == null ? null : biases.group(ops, pass);
      complete = true;
    } finally {
      if (!complete) {
        close(buffers, group);
      }
    }
    parameters = group;
    goOn();
    double share = 1.0 / plan.accumulate();
    float limit = (float) plan.clip();
    Runnable gradients =
        () -> {
          pass.forward();
          pass.backward(share);
          if (balance != null) {
            balance.count(stream);
          }
        };
    // Zeros and what is added to them belong together: the device may overwrite instead.
    first =
        new Replay(
            stream,
            () -> {
              parameters.zeroGradients(stream);
              model.clock().lap(Phase.OPTIMIZER);
              gradients.run();
              if (plan.accumulate() > 1) {
                stream.copy(pass.losses(), losses);
              }
            });
    more =
        new Replay(
            stream,
            () -> {
              gradients.run();
              model.backend().dense().add(losses, pass.losses(), losses, stream);
            });
    update =
        new Replay(
            stream,
            () -> {
              parameters.sumOfSquares(squares, stream);
              ops.limit(squares, losses, limit, factor, optimizer.schedule(), stream);
              if (balance != null) {
                balance.move(factor, stream);
              }
              parameters.adamW(factor, optimizer.schedule(), stream);
            });
  }

  /// Empty where the device cannot do without the host.
  static Optional<UnattendedStep> of(
      Gpt2 model,
      Gpt2Pass pass,
      AdamWOptimizer optimizer,
      TrainingPlan plan,
      @Nullable BiasBalance biases) {
    return model
        .backend()
        .dense()
        .recordable()
        .map(ops -> new UnattendedStep(model, pass, optimizer, plan, biases, ops));
  }

  /// Takes the gradients of the loaded batch, or adds them to those of the parts before; all
  /// batches have as many targets.
  ///
  /// @param index of the part
  /// @param split whether somebody times the parts of this step
  void part(int index, boolean split) {
    run(index == 0 ? first : more, split);
  }

  /// Moves weights and biases, by the schedule that the optimizer planned.
  void update(boolean split) {
    run(update, split);
    stream.downloadLater(squares, squaresSegment);
  }

  /// Lets the next `update` change something again, after one that did not.
  void goOn() {
    stream.upload(MemorySegment.ofArray(new float[] {1}), factor);
  }

  /// The norm of all gradients before the last `update`; there once the stream was waited for.
  double norm() {
    return Math.sqrt(hostSquares[0]);
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
    return first.refused() || more.refused() || update.refused();
  }

  @Override
  public void close() {
    first.close();
    more.close();
    update.close();
    if (balance != null) {
      balance.close();
    }
    close(buffers, parameters);
  }

  private static void close(Buffers buffers, @Nullable ParameterGroup parameters) {
    if (parameters != null) {
      parameters.close();
    }
    buffers.close();
  }
}
