package moe.engine.metrics;

import java.util.List;
import java.util.OptionalDouble;
import java.util.function.ToDoubleFunction;

/// All that is known about one step: a line of `metrics.jsonl`, a row of `metrics.csv`.
///
/// @param step from 1; in evaluation the number of the batch
/// @param epoch from 1
/// @param losses before the update
/// @param times of the step
/// @param update what the optimizer did
/// @param routing one entry per MoE layer; empty for a dense model
/// @param meters power and updates at test time
public record StepMetrics(
    int step,
    int epoch,
    Losses losses,
    StepTimes times,
    Update update,
    List<LayerRouting> routing,
    Meters meters) {
  public StepMetrics {
    Check.least("step", step, 1);
    Check.least("epoch", epoch, 1);
    routing = List.copyOf(routing);
  }

  /// The same step with these meters.
  public StepMetrics with(Meters read) {
    return new StepMetrics(step, epoch, losses, times, update, routing, read);
  }

  /// Share of experts that are some token's first choice, mean over layers.
  public OptionalDouble routingDiversity() {
    return mean(LayerRouting::top1Share);
  }

  /// Normalised entropy of the load, mean over layers.
  public OptionalDouble routingEntropy() {
    return mean(LayerRouting::entropy);
  }

  /// Busiest expert's load over the mean load, mean over layers.
  public OptionalDouble maxOverMeanLoad() {
    return mean(LayerRouting::maxOverMean);
  }

  /// Experts that got a token, mean over layers.
  public OptionalDouble distinctExperts() {
    return mean(LayerRouting::distinctExperts);
  }

  /// Experts of a token, mean over tokens and layers.
  public OptionalDouble expertsPerToken() {
    return times.tokens() == 0
        ? OptionalDouble.empty()
        : mean(layer -> (double) layer.load().total() / times.tokens());
  }

  private OptionalDouble mean(ToDoubleFunction<LayerRouting> value) {
    return routing.stream().mapToDouble(value).average();
  }
}
