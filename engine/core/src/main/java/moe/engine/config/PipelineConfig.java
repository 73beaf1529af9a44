package moe.engine.config;

import java.util.List;
import java.util.Map;
import java.util.Set;

/// A pipeline file as records, one per section in the order of a token batch's way; every value is
/// checked.
///
/// @param given the keys that were written and not left to their defaults, for example
///   `model.layers`
public record PipelineConfig(
    PipelineSection pipeline,
    BackendSection backend,
    PrecisionSection precision,
    ModelSection model,
    MoeSection moe,
    RouterSection router,
    DispatcherSection dispatcher,
    ExpertsSection experts,
    CombinerSection combiner,
    TextSection text,
    RunSection run,
    MetricsSection metrics,
    EnergySection energy,
    CompareSection compare,
    Set<String> given) {
  public PipelineConfig {
    given = Set.copyOf(given);
    Rules.require(
        List.of(
            pipeline,
            backend,
            precision,
            model,
            moe,
            router,
            dispatcher,
            experts,
            combiner,
            text,
            run,
            metrics,
            energy,
            compare));
  }

  /// What a file without any key means.
  public static PipelineConfig defaults() {
    return Schema.PIPELINE.config(Schema.PIPELINE.defaultRecords(), Set.of());
  }

  /// This configuration as a pipeline file that says every key, so that a run can be repeated
  /// whatever the defaults become.
  public String toToml() {
    return ResolvedText.of(this);
  }

  /// Every key by section and name, with the value a file would have: for JSON.
  public Map<String, Map<String, Object>> toMap() {
    return Schema.PIPELINE.toMap(this);
  }
}
