package moe.engine.run;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;
import moe.engine.config.PipelineConfig;
import moe.engine.metrics.Course;
import moe.engine.metrics.Ending;
import moe.engine.metrics.Execution;
import moe.engine.metrics.HeldOutSummary;
import moe.engine.metrics.MachineFacts;
import moe.engine.metrics.ModelFacts;
import moe.engine.metrics.RunSummary;
import moe.engine.metrics.Versions;
import moe.engine.model.Gpt2;
import moe.engine.model.Gpt2Spec;
import moe.engine.model.ModelParameter;
import moe.engine.model.MoeSize;
import moe.engine.wiring.Pipeline;
import moe.spi.device.DType;

/// The summary of a run before its first step.
final class SummaryDraft {
  private SummaryDraft() {}

  static RunSummary of(
      RunRequest request,
      List<String> plugins,
      Pipeline pipeline,
      ModelPlan plan,
      Gpt2 model,
      RunText text,
      Course course) {
    PipelineConfig config = request.config();
    return new RunSummary(
        config.pipeline().name(),
        Ending.of(Ending.Reason.RUNNING),
        course,
        HeldOutSummary.of(List.of(), text.baselines()),
        facts(plan, model, config),
        text.facts(config),
        execution(pipeline, model),
        MachineFacts.here(),
        Versions.here(request.engine(), plugins),
        config.toToml());
  }

  /// A run of which nothing is done yet.
  static Course start(boolean training, int plannedSteps) {
    return new Course(training, Instant.now(), 0, plannedSteps, 0, 0, OptionalLong.empty());
  }

  private static ModelFacts facts(ModelPlan plan, Gpt2 model, PipelineConfig config) {
    Gpt2Spec spec = model.spec();
    MoeSize moe = Objects.requireNonNull(spec.moe());
    long all = model.parameters().elements();
    long experts =
        model.parameters().all().stream()
            .map(ModelParameter::spec)
            .filter(parameter -> parameter.name().contains(".moe.experts."))
            .mapToLong(parameter -> parameter.shape().elements())
            .sum();
    return new ModelFacts(
        config.model().family(),
        plan.origin(),
        spec.layers(),
        spec.heads(),
        spec.dModel(),
        spec.dHidden(),
        spec.vocab(),
        all,
        all - experts / moe.experts() * (moe.experts() - moe.topK()),
        Optional.of(new ModelFacts.Moe(moe.experts(), moe.topK(), config.router().type())));
  }

  /// How products multiply, and how weights are stored if not in float32: `bf16, weights bf16`.
  private static String precision(Gpt2 model) {
    String compute = model.backend().precision().key();
    DType weights = model.options().weights();
    return weights == DType.F32
        ? compute
        : "%s, weights %s".formatted(compute, weights.name().toLowerCase(Locale.ROOT));
  }

  private static Execution execution(Pipeline pipeline, Gpt2 model) {
    List<String> notes = new ArrayList<>();
    Stream.concat(pipeline.backend().refusals().stream(), pipeline.stages().refusals().stream())
        .forEach(refusal -> notes.add(refusal.toString()));
    return new Execution(
        model.backend().name(),
        model.backend().device().name(),
        precision(model),
        pipeline.stages().block().path().name().toLowerCase(Locale.ROOT),
        notes);
  }
}
