package moe.engine.metrics;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;

/// Records with every field set, for tests.
public final class Examples {
  private Examples() {}

  /// A step of a model with two layers of four experts.
  public static StepMetrics step(int number) {
    return new StepMetrics(
        number,
        1,
        new Losses(10.8 - number / 7.0, OptionalDouble.of(0.01), OptionalDouble.of(1e-4)),
        new StepTimes(64, 12.5, Map.of(Phase.EXPERTS, 7.25, Phase.FUSED_MOE, 0.5)),
        Update.of(1.5, 3e-4),
        List.of(
            LayerRouting.of(4, ExpertLoad.of(10, 20, 30, 4)),
            LayerRouting.of(2, ExpertLoad.of(64, 0, 0, 0))),
        new Meters(OptionalLong.of(3), OptionalDouble.of(0.25), OptionalDouble.of(71.5)));
  }

  /// A step of a dense model that is evaluated: nothing optional is there.
  public static StepMetrics bare(int number, double loss) {
    return new StepMetrics(
        number,
        1,
        Losses.of(loss),
        new StepTimes(64, 12.5, Map.of()),
        Update.NONE,
        List.of(),
        Meters.NONE);
  }

  public static RunSummary summary() {
    List<HeldOutMetrics> heldOut =
        List.of(
            new HeldOutMetrics(0, 10.9, 960, 50),
            new HeldOutMetrics(50, 6.5, 960, 48),
            new HeldOutMetrics(100, 6.7, 960, 49));
    return new RunSummary(
        "toy",
        new Ending(Ending.Reason.TIME_LIMIT, "5 min are over"),
        new Course(
            true,
            Instant.parse("2026-11-23T06:00:00Z"),
            100,
            500,
            6400,
            300.5,
            OptionalLong.of(2L << 30)),
        HeldOutSummary.of(heldOut, Baselines.of(50257, 1382)),
        new ModelFacts(
            "gpt2",
            "random weights (seed 42)",
            2,
            4,
            64,
            256,
            50257,
            3_400_000,
            3_300_000,
            Optional.of(new ModelFacts.Moe(4, 2, "topk"))),
        new TextFacts("sotu", 1_841_883, 232_629, 4, 16),
        new Execution("cpu", "AMD EPYC", "f32", "fused", List.of("cuda: no driver")),
        new MachineFacts("Linux 6.1", "amd64", "AMD EPYC", 2, 24L << 30),
        Versions.here("0.1.0", List.of()),
        "[pipeline]\nname = \"toy\" # <b>\n");
  }
}
