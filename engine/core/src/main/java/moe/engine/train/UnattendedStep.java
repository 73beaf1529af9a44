package moe.engine.train;

import java.lang.foreign.MemorySegment;
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
  private final Replay first;
  private final Replay more;
  private final Replay update;

  UnattendedStep(StepParts parts, RecordableOps ops) {
    Gpt2 model = parts.model();
    Gpt2Pass pass = parts.pass();
    AdamWOptimizer optimizer = parts.optimizer();
    BiasBalance biases = parts.balance();
    int accumulate = parts.plan().accumulate();
    stream = model.stream();
    buffers = new Buffers(model.backend());
    StepLosses losses;
    @Nullable ParameterGroup group = null;
    boolean complete = false;
    try {
      squares = buffers.f32(1);
      factor = buffers.f32(1);
      losses = new StepLosses(parts, buffers);
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
    double share = 1.0 / accumulate;
    float limit = (float) parts.plan().clip();
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
              losses.begin();
            });
    more =
        new Replay(
            stream,
            () -> {
              gradients.run();
              losses.add();
            });
    update =
        new Replay(
            stream,
            () -> {
              parameters.sumOfSquares(squares, stream);
              ops.limit(squares, losses.all(), limit, factor, optimizer.schedule(), stream);
              if (balance != null) {
                balance.move(factor, stream);
              }
              parameters.adamW(factor, optimizer.schedule(), stream);
            });
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
  }

  /// Lets the next `update` change something again, after one that did not.
  void goOn() {
    stream.upload(MemorySegment.ofArray(new float[] {1}), factor);
  }

  /// F32 `[1]`: the sum of squares of all gradients before the last `update`.
  Tensor squares() {
    return squares;
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
