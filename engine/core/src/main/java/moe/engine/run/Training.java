package moe.engine.run;

import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import moe.engine.config.Balance;
import moe.engine.config.PipelineConfig;
import moe.engine.config.RunSection;
import moe.engine.metrics.ExpertTokens;
import moe.engine.model.Gpt2;
import moe.engine.model.Gpt2Spec;
import moe.engine.model.MoeSize;
import moe.engine.train.AdamWOptimizer;
import moe.engine.train.BiasBalance;
import moe.engine.train.LearningRate;
import moe.engine.train.Trainer;
import moe.engine.train.TrainingPlan;
import moe.spi.device.AdamW;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;

/// What a pipeline file says about training, as the objects that do it.
final class Training {
  private static final float EPSILON = 1e-8f;

  private Training() {}

  /// @throws MoeException kind `UNSUPPORTED` for a way of balancing that the router does not have
  static Trainer trainer(PipelineConfig config, Gpt2 model, RunText text) {
    RunSection run = config.run();
    Optional<BiasBalance> balance = balance(config, model);
    TrainingPlan plan =
        new TrainingPlan(
            run.batchSize(),
            run.seqLength(),
            run.accumulate(),
            run.batches(),
            new LearningRate(
                run.learningRate(),
                run.warmup(),
                run.finalRate(),
                TrainingRun.plannedSteps(config)),
            run.clip());
    AdamW settings =
        new AdamW((float) run.beta1(), (float) run.beta2(), EPSILON, (float) run.weightDecay());
    return new Trainer(
        model, text.training(config), plan, new AdamWOptimizer(model, settings), balance);
  }

  private static Optional<BiasBalance> balance(PipelineConfig config, Gpt2 model) {
    return switch (config.router().balance()) {
      case NONE -> Optional.empty();
      case BIAS -> {
        if (model.balanceBiases().size() < model.spec().layers()) {
          throw refused(Balance.BIAS, config);
        }
        yield Optional.of(new BiasBalance(model, config.router().balanceRate()));
      }
      case SWITCH -> throw refused(Balance.SWITCH, config);
    };
  }

  private static MoeException refused(Balance balance, PipelineConfig config) {
    return new MoeException(
        ErrorKind.UNSUPPORTED,
        "[router] balance = \"%s\": router %s does not have it; choose another balance or router"
            .formatted(balance.name().toLowerCase(Locale.ROOT), config.router().type()));
  }

  static ExpertTokens expertTokens(Gpt2 model) {
    Gpt2Spec spec = model.spec();
    MoeSize moe = Objects.requireNonNull(spec.moe());
    return new ExpertTokens(spec.layers(), moe.experts(), moe.topK(), spec.vocab());
  }
}
