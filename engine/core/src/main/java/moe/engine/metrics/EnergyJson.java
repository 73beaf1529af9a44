package moe.engine.metrics;

/// What meters said, as JSON.
final class EnergyJson {
  private EnergyJson() {}

  static JsonOut summary(EnergySummary energy) {
    return new JsonOut()
        .put("method", energy.method())
        .put("estimated", energy.estimated() ? "yes" : "no")
        .put("windows", energy.windows())
        .put("idle_watts", energy.idleWatts())
        .put("average_watts", energy.averageWatts())
        .put("peak_watts", energy.peakWatts())
        .put("joules_per_token", energy.joulesPerToken())
        .put("joules_per_token_std", energy.deviation())
        .put("net_joules_per_token", energy.netJoulesPerToken())
        .put("tokens_per_second_per_watt", energy.tokensPerSecondPerWatt())
        .put("energy_delay_joule_seconds", energy.energyDelay())
        .put("seconds_per_token", energy.secondsPerToken())
        .put("fit", energy.fit(), EnergyJson::fit);
  }

  static EnergySummary summary(JsonIn json) {
    json.maybeNumber("net_joules_per_token"); // for people, like the next two; they follow
    json.number("tokens_per_second_per_watt");
    json.number("energy_delay_joule_seconds");
    return new EnergySummary(
        json.text("method"),
        json.text("estimated").equals("yes"),
        json.integer("windows"),
        json.maybeNumber("idle_watts"),
        json.number("average_watts"),
        json.number("peak_watts"),
        json.number("joules_per_token"),
        json.maybeNumber("joules_per_token_std"),
        json.number("seconds_per_token"),
        json.maybeObject("fit", EnergyJson::fit));
  }

  private static JsonOut fit(EnergyFit fit) {
    return new JsonOut()
        .put("idle_watts", fit.idleWatts())
        .put("joules_per_byte", fit.joulesPerByte())
        .put("joules_per_flop", fit.joulesPerFlop())
        .put("r_squared", fit.rSquared())
        .put("windows", fit.windows());
  }

  private static EnergyFit fit(JsonIn json) {
    return new EnergyFit(
        json.number("idle_watts"),
        json.number("joules_per_byte"),
        json.number("joules_per_flop"),
        json.number("r_squared"),
        json.integer("windows"));
  }

  static String line(EnergyWindow window) {
    return new JsonOut()
        .put("step", window.step())
        .put("steps", window.steps())
        .put("seconds", window.seconds())
        .put("joules", window.joules())
        .put("tokens", window.tokens())
        .put("watts", window.watts())
        .put("joules_per_token", window.joulesPerToken())
        .put("fit", window.fit(), EnergyJson::fit)
        .numbers("relative_costs", window.relativeCosts())
        .line();
  }

  static EnergyWindow window(String place, String line) {
    return JsonIn.read(
        place,
        line,
        json -> {
          json.number("watts"); // for people, like the next; they follow
          json.number("joules_per_token");
          return new EnergyWindow(
              json.integer("step"),
              json.integer("steps"),
              json.number("seconds"),
              json.number("joules"),
              json.whole("tokens"),
              json.maybeObject("fit", EnergyJson::fit),
              json.numbers("relative_costs"));
        });
  }
}
