package moe.engine.run;

import java.lang.foreign.MemorySegment;
import java.util.Objects;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import moe.engine.config.NonFinitePolicy;
import moe.engine.config.PipelineConfig;
import moe.engine.metrics.Ending;
import moe.engine.metrics.ExpertTokens;
import moe.engine.metrics.HeldOutMetrics;
import moe.engine.metrics.Losses;
import moe.engine.metrics.PhaseClock;
import moe.engine.metrics.RoutingMetrics;
import moe.engine.metrics.StepMetrics;
import moe.engine.metrics.Update;
import moe.engine.model.Adaptations;
import moe.engine.model.Gpt2;
import moe.engine.model.Gpt2Pass;
import moe.engine.model.MoeSize;
import moe.engine.model.PassResults;
import moe.engine.model.Replay;
import moe.engine.text.SpreadWindows;
import moe.engine.train.TttMeter;

/// The loop of an evaluation: the held-out text batch by batch.
final class EvaluationRun implements AutoCloseable {
  private final PipelineConfig config;
  private final Gpt2 model;
  private final SpreadWindows windows;
  private final BooleanSupplier stopped;
  private final RoutingMetrics routing;
  private final PhaseClock clock;
  private final int[] ids;
  private final Gpt2Pass pass;
  private final PassResults found;
  private final Replay work;
  private final Adaptations adaptations;
  private final int endOfText;

  /// @param most the most batches
  EvaluationRun(
      PipelineConfig config, Gpt2 model, RunText text, int most, BooleanSupplier stopped) {
    this.config = config;
    this.model = model;
    this.clock = model.clock();
    this.stopped = stopped;
    this.windows = text.heldOut(config, most);
    MoeSize moe = Objects.requireNonNull(model.spec().moe());
    this.routing = new RoutingMetrics(model.spec().layers(), moe.experts(), moe.topK());
    this.ids = new int[config.run().batchSize() * config.run().seqLength()];
    this.endOfText = text.tokenizer().endOfText();
    this.adaptations = model.adaptations();
    int batch = config.run().batchSize();
    int seqLength = config.run().seqLength();
    this.pass =
        adaptations.learnFromLoss()
            ? model.trainingPass(batch, seqLength)
            : model.evaluationPass(batch, seqLength);
    this.found = pass.results();
    this.work = new Replay(model.stream(), this::compute);
  }

  /// Looks at each batch once; what was seen until a stop or the time limit counts.
  ///
  /// @param notices takes a line about each batch that does not count
  Ending run(RunJournal journal, ExpertTokens experts, Consumer<String> notices) {
    double limit = config.run().timeLimit().toMillis() / 1e3;
    double sum = 0;
    int done = 0;
    int counted = 0;
    Ending.Reason reason = Ending.Reason.COMPLETED;
    while (done < windows.batches() && reason == Ending.Reason.COMPLETED) {
      StepMetrics step = step(done, experts);
      double loss = step.losses().crossEntropy();
      if (Double.isFinite(loss) || config.run().nonFinite() == NonFinitePolicy.PROPAGATE) {
        sum += loss;
        counted++;
      } else if (config.run().nonFinite() == NonFinitePolicy.SKIP) {
        notices.accept(trouble(step) + "; it does not count");
      } else {
        return new Ending(Ending.Reason.DIVERGED, trouble(step));
      }
      done++;
      journal.add(step);
      if (stopped.getAsBoolean()) {
        reason = Ending.Reason.INTERRUPTED;
      } else if (limit > 0 && journal.secondsNow() > limit && done < windows.batches()) {
        reason = Ending.Reason.TIME_LIMIT;
      }
    }
    if (counted == 0) {
      return new Ending(
          Ending.Reason.DIVERGED,
          "none of the %d batches has a loss that is a number".formatted(done));
    }
    long predicted = (long) counted * config.run().batchSize() * (config.run().seqLength() - 1);
    journal.add(new HeldOutMetrics(0, sum / counted, predicted, journal.secondsNow() * 1e3));
    return reason == Ending.Reason.COMPLETED
        ? Ending.of(reason)
        : new Ending(reason, "stopped after batch %d of %d".formatted(done, windows.batches()));
  }

  /// For example `the loss of batch 7 is NaN, first in layer 3, router, token 17: NaN`.
  private String trouble(StepMetrics step) {
    Adaptations.Memory memory = adaptations.remember();
    String place = pass.firstNonFinite().map(first -> ", first in " + first).orElse("");
    memory.restore();
    return "the loss of batch %d is %s%s".formatted(step.step(), step.losses().total(), place);
  }

  int batches() {
    return windows.batches();
  }

  /// Goes through a batch, so that all that this takes of the device's memory is taken.
  void rehearse() {
    adaptations.beginBatch(ids, endOfText);
    look();
  }

  private void look() {
    pass.load(ids, 0);
    clock.skip();
    if (clock.splits()) {
      work.runAsItIs();
    } else {
      work.run();
    }
  }

  /// Looks at one batch.
  StepMetrics step(int batch, ExpertTokens experts) {
    windows.fill(batch, ids);
    clock.start();
    routing.clear();
    TttMeter learnt = TttMeter.start(adaptations);
    adaptations.beginBatch(ids, endOfText);
    look();
    pass.request(found);
    model.stream().synchronize();
    double loss = found.loss();
    for (int layer = 0; layer < model.spec().layers(); layer++) {
      int[] chosen = found.expertIds(layer);
      routing.add(layer, chosen, pass.tokens());
      experts.add(layer, ids, 0, MemorySegment.ofArray(chosen), pass.tokens());
    }
    return new StepMetrics(
        batch + 1,
        1,
        Losses.of(loss),
        clock.stop(ids.length),
        Update.NONE,
        routing.layers(),
        learnt.meters());
  }

  private void compute() {
    pass.forward();
    if (adaptations.learnFromLoss()) {
      pass.backward();
    } else {
      pass.evaluate();
    }
  }

  @Override
  public void close() {
    work.close();
    pass.close();
  }
}
