package moe.engine.run;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import moe.engine.checkpoint.Slots;
import moe.engine.config.PipelineConfig;
import moe.engine.config.RunMode;
import moe.engine.files.SafeFile;
import moe.engine.metrics.Course;
import moe.engine.metrics.Ending;
import moe.engine.metrics.ExpertTokens;
import moe.engine.metrics.HeldOutMetrics;
import moe.engine.metrics.RunLog;
import moe.engine.metrics.RunRecord;
import moe.engine.metrics.RunSummary;
import moe.engine.model.Gpt2;
import moe.engine.plugin.PluginRegistry;
import moe.engine.train.HeldOutLoss;
import moe.engine.train.Trainer;
import moe.engine.wiring.Pipeline;
import moe.engine.wiring.Wiring;
import moe.spi.device.Backend;
import moe.spi.error.MoeException;

/// One run of a pipeline file, from loading to the report.
public final class PipelineRun {
  private static final int TOKENS_PER_EXPERT = 12;

  private final RunRequest request;
  private final PipelineConfig config;
  private final PluginRegistry registry;
  private final RunWatcher watcher;
  private final BooleanSupplier stopped;

  private PipelineRun(
      RunRequest request, PluginRegistry registry, RunWatcher watcher, BooleanSupplier stopped) {
    this.request = request;
    this.config = request.config();
    this.registry = registry;
    this.watcher = watcher;
    this.stopped = stopped;
  }

  /// Runs to the end, the time limit or a stop, and writes the record and the report.
  ///
  /// @param stopped asked between steps whether the user wants to stop
  /// @return how it ended; a run that diverged has not thrown
  /// @throws MoeException for anything wrong with the file, the model, the text or the device
  public static RunSummary run(
      RunRequest request, PluginRegistry registry, RunWatcher watcher, BooleanSupplier stopped) {
    return new PipelineRun(request, registry, watcher, stopped).run();
  }

  private RunSummary run() {
    try (ModelPlan asked = ModelPlan.of(config, watcher::notice);
        RunDirectory directory = RunDirectory.open(request)) {
      Optional<Slots.Saved> saved =
          request.resume()
              ? Resumption.find(directory.files(), config, registry.catalog(), watcher::notice)
              : Optional.empty();
      RunText text = RunText.load(config, asked, directory.tokens(), watcher::notice);
      try (ModelPlan plan = saved.isPresent() ? asked.from(saved.get().directory()) : asked;
          Pipeline pipeline = Wiring.open(config, registry, plan.block(), request.backend());
          Gpt2 model = model(plan, pipeline, text)) {
        Course course = SummaryDraft.start(config.run().mode() == RunMode.TRAIN, planned(text));
        RunSummary draft =
            SummaryDraft.of(request, plugins(), pipeline, asked, model, text, course);
        var measured = Measured.of(config, registry, pipeline, model, watcher::notice);
        RunSummary noted = measured.noted(draft);
        return switch (config.run().mode()) {
          case TRAIN -> train(directory, asked, model, text, noted, saved, measured);
          case EVALUATE -> evaluate(directory, model, text, noted, measured);
        };
      }
    }
  }

  private Gpt2 model(ModelPlan plan, Pipeline pipeline, RunText text) {
    Backend backend = pipeline.backend().backend();
    MemoryNeed.of(config, plan, pipeline.stages(), text).ifPresent(need -> need.require(backend));
    return Gpt2.create(backend, plan.spec(), pipeline.stages(), plan.source(), plan.options());
  }

  private int planned(RunText text) {
    int asked = TrainingRun.plannedSteps(config);
    return switch (config.run().mode()) {
      case TRAIN -> asked;
      case EVALUATE -> text.heldOut(config, asked).batches();
    };
  }

  private List<String> plugins() {
    return registry.plugins();
  }

  private RunSummary evaluate(
      RunDirectory directory, Gpt2 model, RunText text, RunSummary draft, Measured measured) {
    try (EvaluationRun run =
            new EvaluationRun(config, model, text, TrainingRun.plannedSteps(config), stopped);
        RunJournal journal = journal(directory, draft, Optional.empty(), measured)) {
      return conclude(journal, model, text, experts -> run.run(journal, experts, watcher::notice));
    }
  }

  private RunSummary train(
      RunDirectory directory,
      ModelPlan asked,
      Gpt2 model,
      RunText text,
      RunSummary draft,
      Optional<Slots.Saved> saved,
      Measured measured) {
    int done = saved.map(found -> found.state().step()).orElse(0);
    try (Trainer trainer = Training.trainer(config, model, text);
        HeldOutLoss heldOut = Training.heldOut(config, model, text);
        RunJournal journal = journal(directory, draft, saved, measured)) {
      saved.ifPresent(found -> {
        Slots.restore(found, trainer.optimizer().state(), model);
        trainer.optimizer().resume(done - found.state().skipped());
      });
      var parts = new TrainingRun.Parts(model, trainer, heldOut, asked.directory());
      TrainingRun run =
          new TrainingRun(
              config, parts, new Slots(directory.path()), journal, watcher, stopped, done);
      return conclude(journal, model, text, run::run);
    }
  }

  private RunSummary conclude(
      RunJournal journal, Gpt2 model, RunText text, Function<ExpertTokens, Ending> run) {
    ExpertTokens experts = Training.expertTokens(model);
    journal.begin();
    try {
      Ending ending = run.apply(experts);
      journal.write(
          experts.profiles(
              TOKENS_PER_EXPERT,
              id -> new String(text.tokenizer().bytes(id), StandardCharsets.UTF_8)));
      return journal.end(ending);
    } catch (MoeException failed) {
      try {
        var _ = journal.write(new Ending(Ending.Reason.FAILED, failed.getMessage()));
      } catch (MoeException also) {
        failed.addSuppressed(also); // the disk is full, or gone
      }
      throw failed;
    }
  }

  private RunJournal journal(
      RunDirectory directory, RunSummary draft, Optional<Slots.Saved> saved, Measured measured) {
    RunLog log;
    List<HeldOutMetrics> heldOut = List.of();
    RunSummary summary = draft;
    if (request.resume() && config.run().mode() == RunMode.TRAIN) {
      int step = saved.map(found -> found.state().step()).orElse(0);
      log = RunLog.resume(directory.files(), step);
      heldOut = new RunRecord(directory.files()).heldOut();
      summary = saved.map(found -> continued(draft, found)).orElse(draft);
    } else {
      log = RunLog.create(directory.files());
    }
    SafeFile.write(directory.files().pipeline(), config.toToml());
    return new RunJournal(
        directory.files(), log, summary, heldOut, watcher, measured.watch(), measured.prices());
  }

  private RunSummary continued(RunSummary draft, Slots.Saved saved) {
    Course start = draft.course();
    long tokensPerStep =
        (long) config.run().batchSize() * config.run().seqLength() * config.run().accumulate();
    Course course =
        new Course(
            start.training(),
            saved.state().started(),
            saved.state().step(),
            start.plannedSteps(),
            saved.state().step() * tokensPerStep,
            saved.state().seconds(),
            start.peakMemoryBytes());
    return draft.at(draft.ending(), course, draft.heldOut());
  }
}
