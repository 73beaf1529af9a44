package moe.engine.metrics;

import java.util.EnumMap;
import java.util.Map;

/// Steps and held-out results as lines of JSON.
final class StepJson {
  private StepJson() {}

  static String line(StepMetrics step) {
    StepTimes times = step.times();
    var phases = new JsonOut();
    times.phaseMillis().forEach((phase, millis) -> phases.put(phase.key(), millis.doubleValue()));
    return new JsonOut()
        .put("step", step.step())
        .put("epoch", step.epoch())
        .put("loss", step.losses().crossEntropy())
        .put("balance_loss", step.losses().balance())
        .put("z_loss", step.losses().z())
        .put("gradient_norm", step.update().gradientNorm())
        .put("learning_rate", step.update().learningRate())
        .put("tokens", times.tokens())
        .put("ms", times.totalMillis())
        .put("phase_ms", phases)
        .put("ttt_updates", step.meters().tttUpdates())
        .put("ttt_change", step.meters().tttChange())
        .put("watts", step.meters().watts())
        .list("routing", step.routing(), StepJson::layer)
        .line();
  }

  private static JsonOut layer(LayerRouting layer) {
    return new JsonOut()
        .put("top1_share", layer.top1Share())
        .put("entropy", layer.entropy())
        .put("max_over_mean", layer.maxOverMean())
        .load("load", layer.load());
  }

  static StepMetrics step(String place, String line) {
    return JsonIn.read(
        place,
        line,
        json ->
            new StepMetrics(
                json.integer("step"),
                json.integer("epoch"),
                new Losses(
                    json.number("loss"),
                    json.maybeNumber("balance_loss"),
                    json.maybeNumber("z_loss")),
                new StepTimes(
                    json.whole("tokens"),
                    json.number("ms"),
                    json.object("phase_ms", StepJson::phases)),
                new Update(json.maybeNumber("gradient_norm"), json.maybeNumber("learning_rate")),
                json.objects("routing", StepJson::layer),
                new Meters(
                    json.maybeWhole("ttt_updates"),
                    json.maybeNumber("ttt_change"),
                    json.maybeNumber("watts"))));
  }

  private static Map<Phase, Double> phases(JsonIn json) {
    var phases = new EnumMap<Phase, Double>(Phase.class);
    for (Phase phase : Phase.values()) {
      if (json.has(phase.key())) {
        phases.put(phase, json.number(phase.key()));
      }
    }
    return phases;
  }

  private static LayerRouting layer(JsonIn json) {
    return new LayerRouting(
        json.number("top1_share"),
        json.number("entropy"),
        json.number("max_over_mean"),
        json.load("load"));
  }

  static JsonOut heldOut(HeldOutMetrics result) {
    return new JsonOut()
        .put("step", result.step())
        .put("loss", result.loss())
        .put("perplexity", result.perplexity())
        .put("tokens", result.tokens())
        .put("ms", result.millis());
  }

  static HeldOutMetrics heldOut(String place, String line) {
    return JsonIn.read(place, line, StepJson::heldOut);
  }

  static HeldOutMetrics heldOut(JsonIn json) {
    json.number("perplexity"); // for people; it follows from the loss
    return new HeldOutMetrics(
        json.integer("step"), json.number("loss"), json.whole("tokens"), json.number("ms"));
  }
}
