package moe.engine.train;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import moe.engine.metrics.Losses;
import moe.engine.model.AuxiliaryLosses;
import moe.engine.model.PassResults;
import moe.spi.device.DeviceStream;
import moe.spi.device.Tensor;

/// Room on the host for what a step finds: there once the stream, or a mark behind the requests,
/// was waited for.
final class StepRoom {
  private final StepParts parts;
  private final List<PassResults> found; // of each part
  private final List<float[]> terms; // that routers add to the loss, of each part
  private final float[] squares = new float[1];

  StepRoom(StepParts parts) {
    this.parts = parts;
    int accumulate = parts.plan().accumulate();
    AuxiliaryLosses auxiliary = parts.auxiliary();
    int size = auxiliary == null ? 0 : (int) auxiliary.losses().shape().elements();
    found = Stream.generate(parts.pass()::results).limit(accumulate).toList();
    terms = Stream.generate(() -> new float[size]).limit(accumulate).toList();
  }

  /// Asks for what a part of the step found.
  void request(int part) {
    parts.pass().request(found.get(part));
    AuxiliaryLosses auxiliary = parts.auxiliary();
    if (auxiliary != null) {
      stream().downloadLater(auxiliary.losses(), MemorySegment.ofArray(terms.get(part)));
    }
  }

  /// Asks for the sum of squares of all gradients.
  ///
  /// @param from F32 `[1]`
  void requestSquares(Tensor from) {
    stream().downloadLater(from, MemorySegment.ofArray(squares));
  }

  private DeviceStream stream() {
    return parts.model().stream();
  }

  /// The norm of all gradients.
  double norm() {
    return Math.sqrt(squares[0]);
  }

  /// Whether the loss of a part is a number.
  boolean isFinite(int part) {
    return Double.isFinite(found.get(part).loss());
  }

  /// The loss of all parts; counts where their tokens went.
  Losses count() {
    parts.clear();
    double loss = 0;
    for (int part = 0; part < found.size(); part++) {
      PassResults results = found.get(part);
      loss += results.loss() / found.size();
      AuxiliaryLosses auxiliary = parts.auxiliary();
      if (auxiliary != null) {
        auxiliary.add(terms.get(part));
      }
      IntStream.range(0, parts.routed())
          .forEach(
              layer -> parts.routing().add(layer, results.expertIds(layer), parts.pass().tokens()));
    }
    return parts.losses(loss);
  }
}
