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
/// @param terms what the router adds to the loss; null for nothing
public record MoeFeedForward(LayerSpec spec, MoeStages stages, @Nullable RouterTerms terms)
    implements FeedForward {
  /// A block whose router adds nothing to the loss.
  public MoeFeedForward(LayerSpec spec, MoeStages stages) {
    this(spec, stages, null);
  }

  @Override
  public MoeBlock pass(FeedForwardPorts ports, PassBuffers buffers) {
    return switch (stages) {
      case MoeStages.Staged staged -> new StagedBlock(staged, this, ports, buffers);
      case MoeStages.Fused fused -> new FusedBlock(fused, this, ports, buffers);
    };
  }

  @Override
  public void close() {
    stages.close();
  }

  // Every layer's own: metrics and parity read it after the pass.
  Routing routing(long tokens, PassBuffers buffers) {
    return new Routing(buffers.ownIndexes(tokens, spec.topK()), buffers.own(tokens, spec.topK()));
  }

  RouterBackward routerBackward() {
    return new RouterBackward(trained(stages.router().backward()), terms);
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
