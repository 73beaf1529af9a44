package moe.engine.model;

import java.util.Optional;
import moe.engine.wiring.MoeStages;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.Routing;
import org.jspecify.annotations.Nullable;

/// The MoE stages of one layer, used by the passes of all batch sizes.
///
/// @param spec the block
/// @param stages closed with this
public record MoeFeedForward(LayerSpec spec, MoeStages stages) implements FeedForward {
  @Override
  public MoeBlock pass(FeedForwardPorts ports, PassBuffers buffers) {
    return switch (stages) {
      case MoeStages.Staged staged -> new StagedBlock(staged, spec, ports, buffers);
      case MoeStages.Fused fused -> new FusedBlock(fused, spec, ports, buffers);
    };
  }

  @Override
  public void close() {
    stages.close();
  }

  // Every layer's own: metrics and parity read it after the pass.
  static Routing routing(LayerSpec spec, long tokens, PassBuffers buffers) {
    return new Routing(buffers.ownIndexes(tokens, spec.topK()), buffers.own(tokens, spec.topK()));
  }

  static <T> T inTraining(@Nullable T training) {
    if (training == null) {
      throw new IllegalStateException("an inference pass has no backward");
    }
    return training;
  }

  // Wiring refuses stages that cannot train long before a pass is made.
  static <B> B trained(Optional<B> backward) {
    return backward.orElseThrow(() -> new IllegalStateException("a stage has no backward"));
  }
}
