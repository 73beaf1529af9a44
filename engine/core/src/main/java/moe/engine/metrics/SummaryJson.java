package moe.engine.metrics;

import java.time.DateTimeException;
import java.time.Instant;
import java.util.Optional;

/// A run's summary as JSON.
final class SummaryJson {
  private static final int FORMAT = 1;
  private static final String TRAIN = "train";
  private static final String EVALUATE = "evaluate";

  private SummaryJson() {}

  static String page(RunSummary run) {
    return new JsonOut()
        .put("format", FORMAT)
        .put("name", run.name())
        .put("ending", run.ending().reason().key())
        .put("ending_detail", run.ending().detail())
        .put("course", course(run.course()))
        .put("held_out", heldOut(run.heldOut()))
        .put("model", model(run.model()))
        .put("text", text(run.text()))
        .put("execution", execution(run.execution()))
        .put("machine", machine(run.machine()))
        .put("versions", versions(run.versions()))
        .put("pipeline", run.pipeline())
        .put("energy", run.energy(), EnergyJson::summary)
        .page();
  }

  static RunSummary read(String place, String text) {
    return JsonIn.read(
        place,
        text,
        json -> {
          int format = json.integer("format");
          if (format != FORMAT) {
            throw new IllegalArgumentException(
                "format = %d: this engine reads format %d".formatted(format, FORMAT));
          }
          return new RunSummary(
              json.text("name"),
              new Ending(
                  json.choice("ending", Ending.Reason.values(), Ending.Reason::key),
                  json.text("ending_detail")),
              json.object("course", SummaryJson::course),
              json.object("held_out", SummaryJson::heldOut),
              json.object("model", SummaryJson::model),
              json.object("text", SummaryJson::text),
              json.object("execution", SummaryJson::execution),
              json.object("machine", SummaryJson::machine),
              json.object("versions", SummaryJson::versions),
              json.text("pipeline"),
              json.maybeObject("energy", EnergyJson::summary));
        });
  }

  private static JsonOut course(Course course) {
    return new JsonOut()
        .put("mode", course.training() ? TRAIN : EVALUATE)
        .put("started", course.started().toString())
        .put("steps", course.steps())
        .put("planned_steps", course.plannedSteps())
        .put("tokens", course.tokens())
        .put("seconds", course.seconds())
        .put("peak_memory_bytes", course.peakMemoryBytes());
  }

  private static Course course(JsonIn json) {
    return new Course(
        json.choice("mode", new String[] {TRAIN, EVALUATE}, mode -> mode).equals(TRAIN),
        instant(json.text("started")),
        json.integer("steps"),
        json.integer("planned_steps"),
        json.whole("tokens"),
        json.number("seconds"),
        json.maybeWhole("peak_memory_bytes"));
  }

  private static Instant instant(String text) {
    try {
      return Instant.parse(text);
    } catch (DateTimeException e) {
      throw new IllegalArgumentException("started: expected a time like 2026-01-31T12:00:00Z", e);
    }
  }

  private static JsonOut heldOut(HeldOutSummary heldOut) {
    return new JsonOut()
        .put("first", heldOut.first(), StepJson::heldOut)
        .put("best", heldOut.best(), StepJson::heldOut)
        .put("last", heldOut.last(), StepJson::heldOut)
        .put("uniform_perplexity", heldOut.baselines().uniform())
        .put("unigram_perplexity", heldOut.baselines().unigram());
  }

  private static HeldOutSummary heldOut(JsonIn json) {
    return new HeldOutSummary(
        json.maybeObject("first", StepJson::heldOut),
        json.maybeObject("best", StepJson::heldOut),
        json.maybeObject("last", StepJson::heldOut),
        new Baselines(
            json.maybeNumber("uniform_perplexity"), json.maybeNumber("unigram_perplexity")));
  }

  private static JsonOut model(ModelFacts model) {
    return new JsonOut()
        .put("family", model.family())
        .put("weights", model.weights())
        .put("layers", model.layers())
        .put("heads", model.heads())
        .put("d_model", model.dModel())
        .put("d_hidden", model.dHidden())
        .put("vocab", model.vocab())
        .put("parameters", model.parameters())
        .put("active_parameters", model.activeParameters())
        .put(
            "moe",
            model.moe(),
            moe ->
                new JsonOut()
                    .put("experts", moe.experts())
                    .put("top_k", moe.topK())
                    .put("router", moe.router()));
  }

  private static ModelFacts model(JsonIn json) {
    Optional<ModelFacts.Moe> experts =
        json.maybeObject(
            "moe",
            moe ->
                new ModelFacts.Moe(
                    moe.integer("experts"), moe.integer("top_k"), moe.text("router")));
    return new ModelFacts(
        json.text("family"),
        json.text("weights"),
        json.integer("layers"),
        json.integer("heads"),
        json.integer("d_model"),
        json.integer("d_hidden"),
        json.integer("vocab"),
        json.whole("parameters"),
        json.whole("active_parameters"),
        experts);
  }

  private static JsonOut text(TextFacts text) {
    return new JsonOut()
        .put("name", text.name())
        .put("train_tokens", text.trainTokens())
        .put("held_out_tokens", text.heldOutTokens())
        .put("batch_size", text.batchSize())
        .put("seq_length", text.seqLength());
  }

  private static TextFacts text(JsonIn json) {
    return new TextFacts(
        json.text("name"),
        json.whole("train_tokens"),
        json.whole("held_out_tokens"),
        json.integer("batch_size"),
        json.integer("seq_length"));
  }

  private static JsonOut execution(Execution execution) {
    return new JsonOut()
        .put("backend", execution.backend())
        .put("device", execution.device())
        .put("precision", execution.precision())
        .put("path", execution.path())
        .texts("notes", execution.notes());
  }

  private static Execution execution(JsonIn json) {
    return new Execution(
        json.text("backend"),
        json.text("device"),
        json.text("precision"),
        json.text("path"),
        json.texts("notes"));
  }

  private static JsonOut machine(MachineFacts machine) {
    return new JsonOut()
        .put("os", machine.os())
        .put("arch", machine.arch())
        .put("processor", machine.processor())
        .put("cores", machine.cores())
        .put("memory_bytes", machine.memoryBytes());
  }

  private static MachineFacts machine(JsonIn json) {
    return new MachineFacts(
        json.text("os"),
        json.text("arch"),
        json.text("processor"),
        json.integer("cores"),
        json.whole("memory_bytes"));
  }

  private static JsonOut versions(Versions versions) {
    return new JsonOut()
        .put("engine", versions.engine())
        .put("java", versions.java())
        .texts("plugins", versions.plugins());
  }

  private static Versions versions(JsonIn json) {
    return new Versions(json.text("engine"), json.text("java"), json.texts("plugins"));
  }
}
