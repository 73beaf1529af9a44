package moe.engine.wiring;

import com.google.inject.CreationException;
import com.google.inject.Guice;
import com.google.inject.Stage;
import com.google.inject.spi.Message;
import moe.engine.config.MoeSection;
import moe.engine.config.PipelineConfig;
import moe.engine.config.RunMode;
import moe.engine.plugin.PluginRegistry;
import moe.spi.error.MoeException;
import moe.spi.stage.LayerSpec;

/// Makes a pipeline from its configuration and the providers at hand. Nothing outside this package
/// sees Guice.
public final class Wiring {
  private Wiring() {}

  /// Opens the first backend that can run every stage of the configuration.
  ///
  /// @param layer the MoE blocks: `layer(config)`, or of the sizes of a checkpoint
  /// @param backend which backend, usually `BackendRequest.of(config)`
  /// @throws MoeException with all refusals if no backend can
  public static Pipeline open(
      PipelineConfig config, PluginRegistry registry, LayerSpec layer, BackendRequest backend) {
    try {
      return Guice.createInjector(
              Stage.PRODUCTION, new PipelineModule(config, registry, backend, layer))
          .getInstance(Pipeline.class);
    } catch (CreationException e) {
      for (Message message : e.getErrorMessages()) {
        if (message.getCause() instanceof MoeException cause) {
          throw cause;
        }
      }
      throw e;
    }
  }

  /// The MoE blocks as the pipeline file alone describes them.
  public static LayerSpec layer(PipelineConfig config) {
    MoeSection moe = config.moe();
    return new LayerSpec(
        Math.multiplyExact(config.run().batchSize(), config.run().seqLength()),
        config.model().dModel(),
        moe.dHidden(),
        moe.experts(),
        moe.topK(),
        moe.activation(),
        moe.gated(),
        moe.bias(),
        config.precision().weights(),
        config.run().mode() == RunMode.TRAIN);
  }
}
