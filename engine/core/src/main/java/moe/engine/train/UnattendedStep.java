package moe.engine.train;

import java.lang.foreign.MemorySegment;
import java.util.Optional;
import moe.engine.metrics.Phase;
import moe.engine.model.Buffers;
import moe.engine.model.Gpt2;
import moe.engine.model.Gpt2Pass;
import moe.engine.model.Replay;
import moe.spi.device.DeviceStream;
import moe.spi.device.ParameterGroup;
import moe.spi.device.RecordableOps;
import moe.spi.device.Tensor;

/// The device's work of a training step, with nobody waiting for it in the middle: the device
/// itself limits the gradients, and leaves weights and moments alone where they are no numbers.
///
/// `part` for each part of the step, then `update`.
final class UnattendedStep implements AutoCloseable {
  private final DeviceStream stream;
  private final Buffers buffers;
  private final ParameterGroup parameters;
  private final Tensor squares; // F32 [1]
  private final float[] hostSquares = new float[1];
  private final MemorySegment squaresSegment = MemorySegment.ofArray(hostSquares);
  private final Replay first;
  private final Replay more;
  private final Replay update;

  private UnattendedStep(
      Gpt2 model, Gpt2Pass pass, AdamWOptimizer optimizer, TrainingPlan plan, RecordableOps ops) {
    stream = model.stream();
    buffers = new Buffers(model.backend());
    boolean complete = false;
    Tensor factor;
    try {
      squares = buffers.f32(1);
      factor = buffers.f32(1);
      parameters = optimizer.group(ops);
      complete = true;
    } finally {
      if (!complete) {
        buffers.close();
      }
    }
    double share = 1.0 / plan.accumulate();
    float limit = (float) plan.clip();
    Runnable gradients =
        () -> {
          pass.forward();
          pass.backward(share);
        };
    // Zeros and what is added to them belong together: the device may overwrite instead.
    first =
        new Replay(
            stream,
            () -> {
              parameters.zeroGradients(stream);
              model.clock().lap(Phase.OPTIMIZER);
              gradients.run();
            });
    more = new Replay(stream, gradients);
    update =
        new Replay(
            stream,
            () -> {
              parameters.sumOfSquares(squares, stream);
              ops.limit(squares, pass.losses(), limit, factor, optimizer.schedule(), stream);
              parameters.adamW(factor, optimizer.schedule(), stream);
            });
  }

  /// Empty where the device cannot do without the host.
  static Optional<UnattendedStep> of(
      Gpt2 model, Gpt2Pass pass, AdamWOptimizer optimizer, TrainingPlan plan) {
    return model
        .backend()
        .dense()
        .recordable()
        .map(ops -> new UnattendedStep(model, pass, optimizer, plan, ops));
  }

  /// Takes the gradients of the loaded batch, or adds them to those of the parts before; all
  /// batches have as many targets.
  ///
  /// @param index of the part
  /// @param split whether somebody times the parts of this step
  void part(int index, boolean split) {
    run(index == 0 ? first : more, split);
  }

  /// Moves the weights, by the schedule that the optimizer planned.
  void update(boolean split) {
    run(update, split);
    stream.downloadLater(squares, squaresSegment);
  }

  /// In place of `update` where nothing is to move: asks for the norm alone.
  void measure() {
    parameters.sumOfSquares(squares, stream);
    stream.downloadLater(squares, squaresSegment);
  }

  /// The norm of all gradients before the last `update` or `measure`; there once the stream was
  /// waited for.
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
    parameters.close();
    buffers.close();
  }
}
