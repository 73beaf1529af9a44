package moe.engine.report;

import static moe.engine.report.Words.say;

import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import moe.engine.metrics.Course;
import moe.engine.metrics.HeldOutMetrics;
import moe.engine.metrics.MachineFacts;
import moe.engine.metrics.ModelFacts;
import moe.engine.metrics.RunSummary;
import moe.engine.metrics.TextFacts;

/// The figures at the top of the page and the tables at its end.
final class Facts {
  private static final DateTimeFormatter MINUTE =
      DateTimeFormatter.ofPattern("d MMMM yyyy, HH:mm 'UTC'", Locale.ENGLISH);

  private Facts() {}

  /// A figure that is read at a glance.
  ///
  /// @param note smaller, below; may be empty
  record Figure(String label, String value, String note) {}

  static List<Figure> figures(RunDigest run) {
    RunSummary summary = run.summary();
    var figures = new ArrayList<Figure>();
    if (!run.heldOut().isEmpty()) {
      HeldOutMetrics last = run.heldOut().getLast();
      figures.add(
          new Figure(
              "Held-out perplexity",
              Words.number(last.perplexity()),
              summary.heldOut().baselines().unigram().isPresent()
                  ? "unigram " + Words.number(summary.heldOut().baselines().unigram().getAsDouble())
                  : say("at step %,d", last.step())));
    }
    if (run.lastStep() > 0) {
      figures.add(
          new Figure(
              "Step time",
              Words.millis(run.latencies().percentile(50)),
              say("95 %% ≤ %s", Words.millis(run.latencies().percentile(95)))));
      figures.add(new Figure("Speed", Words.number(run.tokensPerSecond()), "tokens a second"));
    }
    run.series()
        .mean("diversity", 0.75, 1)
        .ifPresent(diversity ->
            figures.add(
                new Figure(
                    "Routing diversity",
                    Words.percent(diversity),
                    "of experts are a first choice")));
    Course course = summary.course();
    figures.add(
        new Figure(
            course.training() ? "Steps" : "Batches",
            say("%,d", Math.max(course.steps(), run.lastStep())),
            say("of %,d planned", course.plannedSteps())));
    return figures;
  }

  static List<Fact.Group> groups(RunSummary summary) {
    var groups =
        new ArrayList<Fact.Group>(
            List.of(
                new Fact.Group("Run", run(summary)),
                new Fact.Group("Model", model(summary.model())),
                new Fact.Group("Text", text(summary.text())),
                new Fact.Group("Machine", machine(summary))));
    summary
        .energy()
        .ifPresent(energy -> groups.add(new Fact.Group("Energy", EnergyFinding.facts(energy))));
    return groups;
  }

  private static List<Fact> run(RunSummary summary) {
    Course course = summary.course();
    var facts = new ArrayList<Fact>();
    facts.add(new Fact("Started", MINUTE.format(course.started().atOffset(ZoneOffset.UTC))));
    facts.add(new Fact("Took", Words.duration(course.seconds())));
    facts.add(new Fact("Ended", summary.ending().reason().key().replace('_', ' ')));
    facts.add(new Fact("Tokens", Words.count(course.tokens())));
    facts.add(new Fact("Backend", summary.execution().backend()));
    facts.add(new Fact("Device", summary.execution().device()));
    facts.add(new Fact("Precision", summary.execution().precision()));
    if (!summary.execution().path().isEmpty()) {
      facts.add(new Fact("MoE path", summary.execution().path()));
    }
    course
        .peakMemoryBytes()
        .ifPresent(bytes -> facts.add(new Fact("Peak memory", Words.bytes(bytes))));
    return facts;
  }

  private static List<Fact> model(ModelFacts model) {
    var facts = new ArrayList<Fact>();
    facts.add(new Fact("Family", model.family()));
    facts.add(new Fact("Weights", model.weights()));
    facts.add(new Fact("Layers × heads", say("%d × %d", model.layers(), model.heads())));
    facts.add(new Fact("d_model, d_hidden", say("%,d, %,d", model.dModel(), model.dHidden())));
    model
        .moe()
        .ifPresent(moe -> {
          facts.add(new Fact("Experts", say("%d, top %d per token", moe.experts(), moe.topK())));
          facts.add(new Fact("Router", moe.router()));
        });
    facts.add(new Fact("Parameters", Words.count(model.parameters())));
    facts.add(new Fact("Active per token", Words.count(model.activeParameters())));
    facts.add(new Fact("Vocabulary", Words.count(model.vocab(), "token")));
    return facts;
  }

  private static List<Fact> text(TextFacts text) {
    return List.of(
        new Fact("Text", text.name()),
        new Fact("Training part", Words.count(text.trainTokens(), "token")),
        new Fact("Held-out part", Words.count(text.heldOutTokens(), "token")),
        new Fact("Batch", say("%d × %d tokens", text.batchSize(), text.seqLength())));
  }

  private static List<Fact> machine(RunSummary summary) {
    MachineFacts machine = summary.machine();
    var facts = new ArrayList<Fact>();
    facts.add(new Fact("Processor", machine.processor()));
    facts.add(new Fact("Cores", say("%d", machine.cores())));
    if (machine.memoryBytes() > 0) {
      facts.add(new Fact("Memory", Words.bytes(machine.memoryBytes())));
    }
    facts.add(new Fact("System", say("%s, %s", machine.os(), machine.arch())));
    facts.add(new Fact("Java", summary.versions().java()));
    facts.add(new Fact("MoE Engine", summary.versions().engine()));
    summary.versions().plugins().forEach(plugin -> facts.add(new Fact("Plugin", plugin)));
    return facts;
  }
}
