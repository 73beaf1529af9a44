package moe.engine.model;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import moe.spi.device.DeviceStream;
import moe.spi.device.Tensor;
import moe.spi.stage.Routing;

/// Room on the host for what a forward and backward found: losses, and where tokens went.
///
/// It is there once the stream, or a mark behind the request, was waited for.
public final class PassResults {
  private final float[] losses; // [tokens]
  private final MemorySegment lossesSegment;
  private final int[][] experts; // [layers][tokens·topK], of layers with experts
  private final MemorySegment[] expertSegments;
  private int unmasked;

  /// @param routings of all layers
  PassResults(int tokens, List<Optional<Routing>> routings) {
    losses = new float[tokens];
    lossesSegment = MemorySegment.ofArray(losses);
    experts = new int[routings.size()][];
    expertSegments = new MemorySegment[experts.length];
    for (int layer = 0; layer < experts.length; layer++) {
      experts[layer] = new int[routings.get(layer).map(Gpt2Pass::slots).orElse(0)];
      expertSegments[layer] = MemorySegment.ofArray(experts[layer]);
    }
  }

  void request(Tensor from, int targets, DeviceStream stream) {
    unmasked = targets;
    stream.downloadLater(from, lossesSegment);
  }

  void request(int layer, Routing routing, DeviceStream stream) {
    stream.downloadLater(routing.expertIds(), expertSegments[layer]);
  }

  /// The mean cross-entropy over all positions with a target, in nats; NaN without any.
  public double loss() {
    return Gpt2Pass.mean(losses, unmasked);
  }

  /// The experts that one layer's router chose, `[tokens, topK]`.
  public int[] expertIds(int layer) {
    return experts[layer];
  }
}
