package moe.engine.train;

import java.util.List;
import moe.engine.metrics.LayerRouting;
import moe.engine.metrics.Losses;
import moe.engine.metrics.PhaseClock;
import moe.engine.metrics.RoutingMetrics;
import moe.engine.metrics.StepMetrics;
import moe.engine.metrics.Update;
import moe.engine.model.Adaptations;
import moe.engine.model.AuxiliaryLosses;
import moe.engine.model.Gpt2;
import moe.engine.model.Gpt2Pass;
import moe.engine.model.MoeSize;
import moe.engine.text.Batches;
import org.jspecify.annotations.Nullable;

/// What steps are made of, whoever makes them.
final class StepParts {
  private final Gpt2 model;
  private final Batches batches;
  private final TrainingPlan plan;
  private final AdamWOptimizer optimizer;
  private final Gpt2Pass pass;
  private final RoutingMetrics routing;
  private final int[] ids; // of a batch
  private final @Nullable BiasBalance balance;

  StepParts(
      Gpt2 model,
      Batches batches,
      TrainingPlan plan,
      AdamWOptimizer optimizer,
      Gpt2Pass pass,
      @Nullable BiasBalance balance) {
    this.model = model;
    this.batches = batches;
    this.plan = plan;
    this.optimizer = optimizer;
    this.pass = pass;
    this.balance = balance;
    MoeSize moe = model.spec().moe();
    this.routing =
        moe == null
            ? new RoutingMetrics(0, 1, 1)
            : new RoutingMetrics(model.spec().layers(), moe.experts(), moe.topK());
    this.ids = new int[plan.batch() * plan.seqLength()];
  }

  Gpt2 model() {
    return model;
  }

  TrainingPlan plan() {
    return plan;
  }

  AdamWOptimizer optimizer() {
    return optimizer;
  }

  Gpt2Pass pass() {
    return pass;
  }

  RoutingMetrics routing() {
    return routing;
  }

  /// What routers add to the loss; null for nothing.
  @Nullable AuxiliaryLosses auxiliary() {
    return model.auxiliaryLosses().orElse(null);
  }

  /// Null for none.
  @Nullable BiasBalance balance() {
    return balance;
  }

  Adaptations adaptations() {
    return model.adaptations();
  }

  PhaseClock clock() {
    return model.clock();
  }

  /// How many layers have experts.
  int routed() {
    return model.spec().moe() == null ? 0 : model.spec().layers();
  }

  /// Loads a part of a step.
  void load(int step, int part) {
    batches.fill((step - 1L) * plan.accumulate() + part, ids);
    adaptations().beginDocument(); // windows are from anywhere in the text
    pass.load(ids, 0);
  }

  /// Loads tokens that mean nothing.
  void loadAny() {
    adaptations().beginDocument();
    pass.load(ids, 0);
  }

  /// Forgets what was counted of the step before.
  void clear() {
    routing.clear();
    AuxiliaryLosses auxiliary = auxiliary();
    if (auxiliary != null) {
      auxiliary.clear();
    }
  }

  /// The loss with what routers added to it.
  Losses losses(double crossEntropy) {
    AuxiliaryLosses auxiliary = auxiliary();
    return auxiliary == null ? Losses.of(crossEntropy) : auxiliary.with(crossEntropy);
  }

  /// All about a step that ends now.
  StepMetrics metrics(
      int step, Losses losses, Update update, List<LayerRouting> layers, TttMeter learnt) {
    return new StepMetrics(
        step,
        (step - 1) / plan.stepsPerEpoch() + 1,
        losses,
        clock().stop((long) ids.length * plan.accumulate()),
        update,
        layers,
        learnt.meters());
  }
}
