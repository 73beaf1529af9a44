package moe.engine.run;

import java.util.Objects;
import java.util.Optional;
import moe.engine.config.Balance;
import moe.engine.config.NonFinitePolicy;
import moe.engine.config.PipelineConfig;
import moe.engine.config.RouterSection;
import moe.engine.config.RunSection;
import moe.engine.config.TestTimeTraining;
import moe.engine.metrics.ExpertTokens;
import moe.engine.model.Gpt2;
import moe.engine.model.Gpt2Spec;
import moe.engine.model.MoeSize;
import moe.engine.train.AdamWOptimizer;
import moe.engine.train.BiasBalance;
import moe.engine.train.HeldOutLoss;
import moe.engine.train.LearningRate;
import moe.engine.train.Trainer;
import moe.engine.train.TrainingPlan;
import moe.spi.device.AdamW;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import moe.spi.stage.AuxiliaryWeights;

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
            run.clip(),
            run.nonFinite() == NonFinitePolicy.PROPAGATE);
    AdamW settings =
        new AdamW((float) run.beta1(), (float) run.beta2(), EPSILON, (float) run.weightDecay());
    return new Trainer(
        model, text.training(config), plan, new AdamWOptimizer(model, settings), balance);
  }

  /// The looks at the held-out text.
  static HeldOutLoss heldOut(PipelineConfig config, Gpt2 model, RunText text) {
    return new HeldOutLoss(
        model,
        text.heldOut(config, config.metrics().heldOutBatches()),
        config.run().batchSize(),
        config.run().seqLength(),
        text.tokenizer().endOfText());
  }

  private static Optional<BiasBalance> balance(PipelineConfig config, Gpt2 model) {
    return switch (config.router().balance()) {
      case NONE, SWITCH -> Optional.empty();
      case BIAS -> {
        if (model.balanceBiases().size() < model.spec().layers()) {
          throw new MoeException(
              ErrorKind.UNSUPPORTED,
              "[router] balance = \"bias\": router %s has no bias for it; choose another balance or router"
                  .formatted(config.router().type()));
        }
        yield Optional.of(new BiasBalance(model, config.router().balanceRate()));
      }
    };
  }

  /// What the routers add to the loss of each part of a step.
  static AuxiliaryWeights auxiliary(PipelineConfig config) {
    RouterSection router = config.router();
    double balance = router.balance() == Balance.SWITCH ? router.balanceLoss() : 0;
    int parts = config.run().accumulate();
    return new AuxiliaryWeights((float) (balance / parts), (float) (router.zLoss() / parts));
  }

  /// Whether routers learn from the loss of the text they see, so that an evaluation needs
  /// gradients, too.
  static boolean learnsFromLoss(PipelineConfig config) {
    return config.router().type().equals("energy-ttt")
        && config.router().ttt() == TestTimeTraining.LM;
  }

  static ExpertTokens expertTokens(Gpt2 model) {
    Gpt2Spec spec = model.spec();
    MoeSize moe = Objects.requireNonNull(spec.moe());
    return new ExpertTokens(spec.layers(), moe.experts(), moe.topK(), spec.vocab());
  }
}
