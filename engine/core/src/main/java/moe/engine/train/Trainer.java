package moe.engine.train;

import java.util.List;
import java.util.Optional;
import moe.engine.metrics.LayerRouting;
import moe.engine.metrics.Losses;
import moe.engine.metrics.Phase;
import moe.engine.metrics.PhaseClock;
import moe.engine.metrics.RoutingMetrics;
import moe.engine.metrics.StepMetrics;
import moe.engine.metrics.Update;
import moe.engine.model.Adaptations;
import moe.engine.model.AuxiliaryLosses;
import moe.engine.model.Gpt2;
import moe.engine.model.Gpt2Pass;
import moe.engine.model.Gpt2Spec;
import moe.engine.model.MoeSize;
import moe.engine.model.NonFinite;
import moe.engine.text.Batches;
import org.jspecify.annotations.Nullable;

/// Trains a model step by step: batches, forward, backward, clipping, AdamW, balance.
///
/// A step is a function of its number, the weights and the optimizer's state: so a run that goes on
/// from a checkpoint repeats the undisturbed one.
public final class Trainer implements AutoCloseable {
  private final Gpt2 model;
  private final Batches batches;
  private final TrainingPlan plan;
  private final AdamWOptimizer optimizer;
  private final Optional<BiasBalance> balance;
  private final PhaseClock clock;
  private final Gpt2Pass pass;
  private final GradientNorm gradients;
  private final RoutingMetrics routing;
  private final int routed; // layers with experts
  private final int[] ids;
  private final @Nullable AuxiliaryLosses auxiliary;
  private final @Nullable UnattendedStep unattended;
  private final Adaptations adaptations;
  private Optional<NonFinite> firstNonFinite = Optional.empty();

  /// @param model made for training
  /// @param optimizer over its parameters, closed with this, also where this cannot be made
  /// @param balance empty for none
  public Trainer(
      Gpt2 model,
      Batches batches,
      TrainingPlan plan,
      AdamWOptimizer optimizer,
      Optional<BiasBalance> balance) {
    this.model = model;
    this.batches = batches;
    this.plan = plan;
    this.optimizer = optimizer;
    this.balance = balance;
    this.clock = model.clock();
    Gpt2Spec spec = model.spec();
    MoeSize moe = spec.moe();
    this.routed = moe == null ? 0 : spec.layers();
    this.routing =
        new RoutingMetrics(routed, moe == null ? 1 : moe.experts(), moe == null ? 1 : moe.topK());
    this.ids = new int[plan.batch() * plan.seqLength()];
    this.adaptations = model.adaptations();
    this.auxiliary = model.auxiliaryLosses().orElse(null);
    @Nullable GradientNorm norm = null;
    @Nullable Gpt2Pass activations = null;
    boolean complete = false;
    try {
      norm = new GradientNorm(model);
      activations = model.trainingPass(plan.batch(), plan.seqLength());
      complete = true;
    } finally {
      if (!complete) {
        close(optimizer, norm, activations);
      }
    }
    this.gradients = norm;
    this.pass = activations;
    this.unattended = // a device alone propagates no NaN
        plan.propagate()
            ? null
            : UnattendedStep.of(model, pass, optimizer, plan, balance.orElse(null)).orElse(null);
  }

  /// Makes one step. If its loss or gradient is not finite, the weights stay as they were, unless
  /// the plan says otherwise.
  ///
  /// @param step from 1 on
  public StepMetrics step(int step) {
    clock.start();
    routing.clear();
    firstNonFinite = Optional.empty();
    TttMeter learnt = TttMeter.start(adaptations);
    double rate = plan.rate().at(step);
    Losses losses = unattended == null ? gradients(step) : unattended(step, rate, unattended);
    double norm = unattended == null ? gradients.clip(plan.clip()) : unattended.norm();
    List<LayerRouting> layers = routing.layers();
    boolean finite = Double.isFinite(losses.total()) && Double.isFinite(norm);
    boolean updates = finite || plan.propagate();
    if (unattended == null) {
      if (updates) {
        balance.ifPresent(b -> b.update(layers));
        optimizer.step(rate);
      }
      model.stream().synchronize();
    } else if (!finite) {
      optimizer.unplan();
      unattended.goOn();
    }
    clock.lap(Phase.OPTIMIZER);
    return new StepMetrics(
        step,
        (step - 1) / plan.stepsPerEpoch() + 1,
        losses,
        clock.stop((long) ids.length * plan.accumulate()),
        Update.of(norm, rate),
        layers,
        learnt.meters());
  }

  /// Goes through a batch forward and backward, so that all that this takes of the device's memory
  /// is taken. The gradients are of no use then.
  public void rehearse() {
    adaptations.beginDocument();
    pass.load(ids, 0);
    pass.forward();
    pass.backward();
  }

  /// A whole step, after which the device is waited for once, or once a part.
  private Losses unattended(int step, double rate, UnattendedStep work) {
    boolean split = clock.splits();
    double loss = 0;
    if (auxiliary != null) {
      auxiliary.clear();
    }
    for (int part = 0; part < plan.accumulate(); part++) {
      batches.fill((step - 1L) * plan.accumulate() + part, ids);
      adaptations.beginDocument(); // windows are from anywhere in the text
      pass.load(ids, 0);
      clock.skip();
      work.part(part, split);
      pass.request();
      if (auxiliary != null) {
        auxiliary.request();
      }
      if (part == plan.accumulate() - 1) {
        clock.skip();
        optimizer.plan(rate);
        work.update(split);
      }
      model.stream().synchronize();
      loss += checked(pass.requestedLoss()) / plan.accumulate();
      if (auxiliary != null) {
        auxiliary.addRequested();
      }
      for (int layer = 0; layer < routed; layer++) {
        routing.add(layer, pass.requestedExpertIds(layer), pass.tokens());
      }
    }
    return auxiliary == null ? Losses.of(loss) : auxiliary.with(loss);
  }

  /// What makes steps slower here than they need be, in words for the user.
  public Optional<String> note() {
    return unattended != null && unattended.refused()
        ? Optional.of(
            "steps are issued call by call: a stage waits for the device, so they cannot be"
                + " recorded")
        : Optional.empty();
  }

  /// Sums the gradients of all parts of a step and returns the mean loss.
  private Losses gradients(int step) {
    double loss = 0;
    if (auxiliary != null) {
      auxiliary.clear();
    }
    model.zeroGradients();
    clock.lap(Phase.OPTIMIZER);
    for (int part = 0; part < plan.accumulate(); part++) {
      batches.fill((step - 1L) * plan.accumulate() + part, ids);
      adaptations.beginDocument(); // windows are from anywhere in the text
      pass.load(ids, 0);
      clock.skip();
      pass.forward();
      pass.backward(1.0 / plan.accumulate());
      loss += checked(pass.loss()) / plan.accumulate();
      if (auxiliary != null) {
        auxiliary.add();
      }
      for (int layer = 0; layer < routed; layer++) {
        routing.add(layer, pass.expertIds(layer), pass.tokens());
      }
    }
    clock.skip();
    return auxiliary == null ? Losses.of(loss) : auxiliary.with(loss);
  }

  /// Looks for the place while the states of the part are there.
  private double checked(double loss) {
    if (!Double.isFinite(loss) && firstNonFinite.isEmpty()) {
      firstNonFinite = pass.firstNonFinite();
    }
    return loss;
  }

  /// Where the loss of the last step first became NaN or infinite.
  public Optional<NonFinite> firstNonFinite() {
    return firstNonFinite;
  }

  /// The optimizer, for checkpoints.
  public AdamWOptimizer optimizer() {
    return optimizer;
  }

  @Override
  public void close() {
    if (unattended != null) {
      unattended.close();
    }
    close(optimizer, gradients, pass);
  }

  private static void close(
      AdamWOptimizer optimizer, @Nullable GradientNorm gradients, @Nullable Gpt2Pass pass) {
    try (optimizer;
        gradients;
        pass) {
      // closes all
    }
  }
}
