package moe.engine.run;

import java.nio.file.Path;
import java.util.function.BooleanSupplier;
import moe.engine.checkpoint.Slots;
import moe.engine.checkpoint.TrainingState;
import moe.engine.config.PipelineConfig;
import moe.engine.metrics.Ending;
import moe.engine.metrics.ExpertTokens;
import moe.engine.metrics.HeldOutMetrics;
import moe.engine.metrics.StepMetrics;
import moe.engine.model.Gpt2;
import moe.engine.train.HeldOutLoss;
import moe.engine.train.Trainer;
import org.jspecify.annotations.Nullable;

/// The loop of a training run: steps, looks at the held-out text, checkpoints.
final class TrainingRun {
  private final PipelineConfig config;
  private final Gpt2 model;
  private final Trainer trainer;
  private final HeldOutLoss heldOut;
  private final Slots slots;
  private final RunJournal journal;
  private final RunWatcher watcher;
  private final BooleanSupplier stopped;
  private final @Nullable Path tokenizer;
  private final int planned;
  private int done;
  private int saved;
  private boolean noted;

  /// @param parts what the run works with
  /// @param done steps made by earlier parts of the run
  TrainingRun(
      PipelineConfig config,
      Parts parts,
      Slots slots,
      RunJournal journal,
      RunWatcher watcher,
      BooleanSupplier stopped,
      int done) {
    this.config = config;
    this.model = parts.model();
    this.trainer = parts.trainer();
    this.heldOut = parts.heldOut();
    this.tokenizer = parts.tokenizer();
    this.slots = slots;
    this.journal = journal;
    this.watcher = watcher;
    this.stopped = stopped;
    this.planned = plannedSteps(config);
    this.done = done;
    this.saved = done;
  }

  /// What a training run works with.
  ///
  /// @param tokenizer directory of the model's own; null for GPT-2's
  record Parts(Gpt2 model, Trainer trainer, HeldOutLoss heldOut, @Nullable Path tokenizer) {}

  static int plannedSteps(PipelineConfig config) {
    return (int) Math.min(Integer.MAX_VALUE, (long) config.run().epochs() * config.run().batches());
  }

  /// Trains until the end, the time limit, or a stop; then saves and looks a last time.
  ///
  /// @param experts counts in the last look
  Ending run(ExpertTokens experts) {
    look(null);
    Ending ending = steps();
    if (ending.reason() == Ending.Reason.DIVERGED) {
      return ending;
    }
    if (done > saved) {
      save();
    }
    if (ending.reason() != Ending.Reason.INTERRUPTED) {
      look(experts);
    }
    return stopped.getAsBoolean() ? interrupted() : ending;
  }

  private Ending steps() {
    double limit = config.run().timeLimit().toMillis() / 1e3;
    double last = 0; // seconds of the last step: one more must fit
    while (done < planned) {
      boolean underWay = trainer.isAhead(); // then it has to be made
      if (!underWay && stopped.getAsBoolean()) {
        return interrupted();
      }
      if (!underWay && limit > 0 && journal.secondsNow() + last > limit) {
        return new Ending(
            Ending.Reason.TIME_LIMIT,
            "run.time_limit stopped it after step %d of %d".formatted(done, planned));
      }
      boolean two = limit == 0 || journal.secondsNow() + 2 * last <= limit;
      StepMetrics step = trainer.step(done + 1, two && nothingBehind(done + 1));
      if (!isFinite(step)) {
        switch (config.run().nonFinite()) {
          case ERROR -> {
            return diverged(step);
          }
          case SKIP -> watcher.notice(trouble(step) + "; it updates nothing");
          case PROPAGATE -> {} // as asked for
        }
      }
      done++;
      last = step.times().totalMillis() / 1e3;
      journal.add(step);
      if (!noted) {
        trainer.note().ifPresent(this::note);
      }
      if (done < planned) {
        between();
      }
    }
    return Ending.of(Ending.Reason.COMPLETED);
  }

  private void note(String note) {
    noted = true;
    watcher.notice(note);
  }

  private void between() {
    if (due(config.metrics().heldOutEvery(), done)) {
      look(null);
    }
    if (due(config.run().checkpointEvery(), done)) {
      save();
    }
  }

  /// Whether the step after this one follows at once, as far as one can know.
  private boolean nothingBehind(int step) {
    return step < planned
        && !due(config.metrics().heldOutEvery(), step)
        && !due(config.run().checkpointEvery(), step)
        && !stopped.getAsBoolean();
  }

  private static boolean due(int every, int step) {
    return every > 0 && step % every == 0;
  }

  private Ending interrupted() {
    return new Ending(
        Ending.Reason.INTERRUPTED, "stopped after step %d of %d".formatted(done, planned));
  }

  private static boolean isFinite(StepMetrics step) {
    return Double.isFinite(step.losses().total())
        && Double.isFinite(step.update().gradientNorm().orElse(0));
  }

  private Ending diverged(StepMetrics step) {
    return new Ending(
        Ending.Reason.DIVERGED,
        "%s; the weights of step %d are kept: try a smaller run.learning_rate"
            .formatted(trouble(step), done));
  }

  /// For example `the loss of step 7 is NaN, first in layer 3, router, token 17: NaN`.
  private String trouble(StepMetrics step) {
    double loss = step.losses().total();
    return Double.isFinite(loss)
        ? "the norm of the gradients of step %d is %s"
            .formatted(step.step(), step.update().gradientNorm().orElse(Double.NaN))
        : "the loss of step %d is %s%s"
            .formatted(
                step.step(),
                loss,
                trainer.firstNonFinite().map(where -> ", first in " + where).orElse(""));
  }

  /// A result that was cut short by a stop is not kept.
  private void look(@Nullable ExpertTokens experts) {
    if (journal.looked(done) && experts == null) {
      return;
    }
    watcher.looking(done);
    HeldOutMetrics result = heldOut.measure(done, batches(experts != null), stopped, experts);
    if (!stopped.getAsBoolean() && !journal.looked(done)) {
      journal.add(result);
    }
  }

  /// Random weights are as surprised by any text as by another: one batch says all there is to say.
  private int batches(boolean last) {
    boolean untrained = done == 0 && config.model().path().isEmpty();
    return untrained && !last ? 1 : config.metrics().heldOutBatches();
  }

  private void save() {
    journal.force();
    int skipped = Math.toIntExact(done - trainer.optimizer().steps());
    Path checkpoint =
        slots.write(
            new TrainingState(done, skipped, journal.seconds(), journal.started()),
            model,
            trainer.optimizer().state(),
            tokenizer);
    saved = done;
    journal.write(Ending.of(Ending.Reason.RUNNING));
    watcher.saved(checkpoint);
  }
}
