package moe.engine.train;

import java.util.List;
import java.util.Optional;
import moe.engine.metrics.LayerRouting;
import moe.engine.metrics.Losses;
import moe.engine.metrics.Phase;
import moe.engine.metrics.PhaseClock;
import moe.engine.metrics.StepMetrics;
import moe.engine.metrics.Update;
import moe.engine.model.AuxiliaryLosses;
import moe.engine.model.Gpt2Pass;
import moe.engine.model.NonFinite;

/// Steps on any backend: the host reads the loss and the norm of the gradients, and decides what
/// becomes of them.
final class HostSteps implements Steps {
  private final StepParts parts;
  private final TrainingPlan plan;
  private final Gpt2Pass pass;
  private final PhaseClock clock;
  private final GradientNorm gradients;
  private Optional<NonFinite> firstNonFinite = Optional.empty();

  HostSteps(StepParts parts) {
    this.parts = parts;
    this.plan = parts.plan();
    this.pass = parts.pass();
    this.clock = parts.clock();
    this.gradients = new GradientNorm(parts.model());
  }

  @Override
  public StepMetrics step(int step, boolean next) {
    clock.start();
    parts.clear();
    firstNonFinite = Optional.empty();
    TttMeter learnt = TttMeter.start(parts.adaptations());
    double rate = plan.rate().at(step);
    Losses losses = gradients(step);
    double norm = gradients.clip(plan.clip());
    List<LayerRouting> layers = parts.routing().layers();
    boolean finite = Double.isFinite(losses.total()) && Double.isFinite(norm);
    if (finite || plan.propagate()) {
      BiasBalance balance = parts.balance();
      if (balance != null) {
        balance.update(layers);
      }
      parts.optimizer().step(rate);
    }
    parts.model().stream().synchronize();
    clock.lap(Phase.OPTIMIZER);
    return parts.metrics(step, losses, Update.of(norm, rate), layers, learnt);
  }

  /// Sums the gradients of all parts of a step and returns the mean loss.
  private Losses gradients(int step) {
    double loss = 0;
    parts.model().zeroGradients();
    clock.lap(Phase.OPTIMIZER);
    for (int part = 0; part < plan.accumulate(); part++) {
      parts.load(step, part);
      clock.skip();
      pass.forward();
      pass.backward(1.0 / plan.accumulate());
      loss += checked(pass.loss()) / plan.accumulate();
      AuxiliaryLosses auxiliary = parts.auxiliary();
      if (auxiliary != null) {
        auxiliary.add();
      }
      for (int layer = 0; layer < parts.routed(); layer++) {
        parts.routing().add(layer, pass.expertIds(layer), pass.tokens());
      }
    }
    clock.skip();
    return parts.losses(loss);
  }

  /// Looks for the place while the states of the part are there.
  private double checked(double loss) {
    if (!Double.isFinite(loss) && firstNonFinite.isEmpty()) {
      firstNonFinite = pass.firstNonFinite();
    }
    return loss;
  }

  @Override
  public boolean isAhead() {
    return false;
  }

  @Override
  public Optional<NonFinite> firstNonFinite() {
    return firstNonFinite;
  }

  @Override
  public boolean refused() {
    return false;
  }

  @Override
  public void close() {
    gradients.close();
  }
}
