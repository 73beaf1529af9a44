package moe.engine.reliability;

import java.nio.file.Path;
import java.util.Objects;
import java.util.SplittableRandom;
import moe.engine.config.BlockPath;
import moe.engine.model.Gpt2;
import moe.engine.model.Gpt2Pass;
import moe.engine.model.Gpt2Spec;
import moe.engine.model.ModelOptions;
import moe.engine.model.MoeSize;
import moe.engine.model.RandomWeights;
import moe.engine.plugin.PluginRegistry;
import moe.engine.train.AdamWOptimizer;
import moe.engine.train.TrainingStep;
import moe.engine.wiring.StageRequest;
import moe.engine.wiring.StageSelection;
import moe.spi.device.Activation;
import moe.spi.device.AdamW;
import moe.spi.device.Backend;

/// The training of a model so small that a step takes a fraction of a millisecond.
final class TinyTraining {
  private static final int BATCH = 2;
  private static final int SEQ_LENGTH = 6;
  private static final int TOKENS = BATCH * SEQ_LENGTH;
  private static final Gpt2Spec SPEC =
      new Gpt2Spec(31, 8, 16, 2, 2, 24, Activation.GELU, 1e-5f, true, new MoeSize(3, 2));

  private TinyTraining() {}

  /// What is installed.
  record Stages(PluginRegistry registry) implements AutoCloseable {
    Stages() {
      this(PluginRegistry.load((Path) null));
    }

    StageSelection choose(Backend backend, BlockPath path) {
      return StageSelection.choose(
          registry,
          StageRequest.STANDARD.on(path),
          Objects.requireNonNull(Gpt2.blockSpec(SPEC, ModelOptions.training(TOKENS))),
          backend);
    }

    @Override
    public void close() {
      registry.close();
    }
  }

  /// Trains and returns the loss of each step.
  ///
  /// @param seed of weights and batches
  static double[] losses(Backend backend, Stages stages, BlockPath path, long seed, int steps) {
    double[] losses = new double[steps];
    SplittableRandom random = new SplittableRandom(seed);
    try (Gpt2 model =
            Gpt2.create(
                backend,
                SPEC,
                stages.choose(backend, path),
                new RandomWeights(seed, SPEC.layers()),
                ModelOptions.training(TOKENS));
        Gpt2Pass pass = model.trainingPass(BATCH, SEQ_LENGTH);
        AdamWOptimizer optimizer = new AdamWOptimizer(model, new AdamW(.9f, .95f, 1e-8f, .1f))) {
      TrainingStep step = new TrainingStep(model, pass, optimizer);
      for (int i = 0; i < steps; i++) {
        step.run(random.ints(TOKENS, 0, SPEC.vocab()).toArray(), 0, 1e-3);
        losses[i] = pass.loss();
      }
    }
    return losses;
  }
}
