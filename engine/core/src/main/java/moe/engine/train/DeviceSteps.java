package moe.engine.train;

import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import moe.engine.metrics.LayerRouting;
import moe.engine.metrics.Losses;
import moe.engine.metrics.Phase;
import moe.engine.metrics.PhaseClock;
import moe.engine.metrics.StepMetrics;
import moe.engine.metrics.Update;
import moe.engine.model.NonFinite;
import moe.spi.device.DeviceStream;
import org.jspecify.annotations.Nullable;

/// Steps that the device makes by itself. Where nothing comes in between, the host issues the next
/// one before it waits for the results of this one, so that the device is never idle.
///
/// A step that is no number changes nothing, and neither does what was issued behind it: that step
/// is forgotten, and issued again.
final class DeviceSteps implements Steps {
  private final StepParts parts;
  private final TrainingPlan plan;
  private final DeviceStream stream;
  private final PhaseClock clock;
  private final UnattendedStep work;
  private final boolean learns;
  private @Nullable StepRoom free;
  private @Nullable IssuedStep ahead;
  private Optional<NonFinite> firstNonFinite = Optional.empty();

  DeviceSteps(StepParts parts, UnattendedStep work) {
    this.parts = parts;
    this.plan = parts.plan();
    this.stream = parts.model().stream();
    this.clock = parts.clock();
    this.work = work;
    this.learns = parts.adaptations().present();
  }

  @Override
  public StepMetrics step(int step, boolean next) {
    firstNonFinite = Optional.empty();
    IssuedStep current = ahead == null ? issue(step) : ahead;
    ahead = next && isAlone(current) ? issue(step + 1) : null;
    return collect(current);
  }

  /// Whether the host does nothing about a step until its end, nor about the one after it.
  private boolean isAlone(IssuedStep step) {
    return !step.split() && !clock.splitsNext() && !learns;
  }

  private IssuedStep issue(int step) {
    clock.start();
    boolean split = clock.splits();
    TttMeter learnt = TttMeter.start(parts.adaptations());
    double rate = plan.rate().at(step);
    StepRoom room = free == null ? new StepRoom(parts) : free;
    free = null;
    for (int part = 0; part < plan.accumulate(); part++) {
      parts.load(step, part);
      clock.skip();
      work.part(part, split);
      room.request(part);
      if (learns) {
        look(room, part);
      }
    }
    clock.skip();
    parts.optimizer().plan(rate);
    work.update(split);
    room.requestSquares(work.squares());
    return new IssuedStep(step, rate, split, room, learnt, stream.mark());
  }

  /// Looks for the place while the states of the part are there: what routers learn meanwhile makes
  /// others of it.
  private void look(StepRoom room, int part) {
    stream.synchronize();
    if (!room.isFinite(part) && firstNonFinite.isEmpty()) {
      firstNonFinite = parts.pass().firstNonFinite();
    }
  }

  private StepMetrics collect(IssuedStep issued) {
    issued.end().await();
    Losses losses = issued.room().count();
    double norm = issued.room().norm();
    List<LayerRouting> layers = parts.routing().layers();
    if (!Double.isFinite(losses.total()) || !Double.isFinite(norm)) {
      goBack(issued);
    }
    free = issued.room();
    clock.lap(Phase.OPTIMIZER);
    return parts.metrics(
        issued.step(), losses, Update.of(norm, issued.rate()), layers, issued.learnt());
  }

  /// Makes the device and the optimizer as they were before a step that changed nothing.
  private void goBack(IssuedStep issued) {
    stream.synchronize();
    if (ahead != null) {
      parts.optimizer().unplan();
      clock.drop();
      ahead = null;
    }
    parts.optimizer().unplan();
    work.goOn();
    if (!learns) {
      firstNonFinite = place(issued);
    }
  }

  /// Goes through the first part without a loss again: the weights are those it had.
  private Optional<NonFinite> place(IssuedStep issued) {
    return IntStream.range(0, plan.accumulate())
        .filter(part -> !issued.room().isFinite(part))
        .boxed()
        .findFirst()
        .flatMap(part -> {
          parts.load(issued.step(), part);
          parts.pass().forward();
          return parts.pass().firstNonFinite();
        });
  }

  @Override
  public boolean isAhead() {
    return ahead != null;
  }

  @Override
  public Optional<NonFinite> firstNonFinite() {
    return firstNonFinite;
  }

  @Override
  public boolean refused() {
    return work.refused();
  }

  @Override
  public void close() {
    work.close();
  }
}
