package moe.engine.report;

import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.SplittableRandom;
import moe.engine.metrics.Baselines;
import moe.engine.metrics.Course;
import moe.engine.metrics.Ending;
import moe.engine.metrics.Execution;
import moe.engine.metrics.ExpertLoad;
import moe.engine.metrics.ExpertProfile;
import moe.engine.metrics.HeldOutMetrics;
import moe.engine.metrics.HeldOutSummary;
import moe.engine.metrics.LayerRouting;
import moe.engine.metrics.Losses;
import moe.engine.metrics.MachineFacts;
import moe.engine.metrics.Meters;
import moe.engine.metrics.ModelFacts;
import moe.engine.metrics.Phase;
import moe.engine.metrics.RunFiles;
import moe.engine.metrics.RunLog;
import moe.engine.metrics.RunSummary;
import moe.engine.metrics.StepMetrics;
import moe.engine.metrics.StepTimes;
import moe.engine.metrics.TextFacts;
import moe.engine.metrics.Update;
import moe.engine.metrics.Versions;

/// A run that never was, with numbers like those of a real one, from a seed.
///
/// @param name of the pipeline
/// @param steps to record, of 500 planned or all
/// @param layers MoE layers; 0 for a dense model
/// @param experts of each layer
/// @param tokens of the experts' profiles, each shown for some expert
record SyntheticRun(String name, int steps, int layers, int experts, List<String> tokens) {
  private static final List<String> WORDS =
      List.of(
          " the",
          " of",
          " Congress",
          " war",
          "\n",
          " dollars",
          " gold",
          " peace",
          ",",
          " 18",
          " treaty",
          " our",
          " Mexico",
          "ing",
          " shall",
          " and",
          "ment",
          " tax",
          " Indian",
          ".");

  /// The seed's experiment, stopped by its time limit.
  static SyntheticRun usual() {
    return new SyntheticRun("distilgpt2-moe", 312, 6, 8, WORDS);
  }

  /// Puts the record of this run into a directory that exists.
  void write(Path directory) {
    var random = new SplittableRandom(42);
    var heldOut = new ArrayList<HeldOutMetrics>();
    try (RunLog log = RunLog.create(new RunFiles(directory))) {
      for (int step = 0; step <= steps; step++) {
        if (step > 0) {
          log.add(step(step, random));
        }
        if (step % Math.max(50, steps / 40) == 0 || step == steps) {
          double loss = loss(step) + 0.06 + 0.03 * random.nextDouble();
          heldOut.add(new HeldOutMetrics(step, loss, 61_440, 2400));
          log.add(heldOut.getLast());
        }
      }
      log.write(summary(HeldOutSummary.of(heldOut, Baselines.of(50_257, 1382))));
      log.write(profiles(random));
    }
  }

  private static double loss(double step) {
    return 5.9 + 4.05 * Math.exp(-step / 28) + 0.9 * Math.exp(-step / 260);
  }

  private StepMetrics step(int step, SplittableRandom random) {
    double pace = 1 + 0.03 * random.nextGaussian() + (random.nextInt(40) == 0 ? 0.35 : 0);
    double millis = 4820 * Math.max(0.9, pace);
    var routing = new ArrayList<LayerRouting>();
    for (int layer = 0; layer < layers; layer++) {
      routing.add(routing(step, layer, random));
    }
    double decay = Math.min(1, step / 50.0) * (0.55 + 0.45 * Math.cos(Math.PI * step / 500));
    return new StepMetrics(
        step,
        1 + step / 100,
        new Losses(
            loss(step) + 0.12 * random.nextGaussian(),
            OptionalDouble.of(0.0101 + 0.02 * Math.exp(-step / 40.0)),
            OptionalDouble.empty()),
        new StepTimes(1024, millis, phases(millis)),
        Update.of(0.8 + 4 * Math.exp(-step / 25.0) * random.nextDouble(), 3e-4 * Math.abs(decay)),
        routing,
        Meters.NONE);
  }

  private Map<Phase, Double> phases(double millis) {
    return Map.of(
        Phase.EXPERTS, 0.47 * millis,
        Phase.HEAD, 0.21 * millis,
        Phase.OPTIMIZER, 0.13 * millis,
        Phase.ATTENTION, 0.09 * millis,
        Phase.DISPATCH, 0.012 * millis,
        Phase.COMBINE, 0.016 * millis,
        Phase.ROUTER, 0.007 * millis,
        Phase.NORM, 0.018 * millis,
        Phase.EMBEDDING, 0.006 * millis);
  }

  /// Uneven at first, evened out by the balance term, each layer with a favourite of its own.
  private LayerRouting routing(int step, int layer, SplittableRandom random) {
    int[] load = new int[experts];
    double skew = 0.25 + 1.6 * Math.exp(-step / 60.0);
    int first = 0;
    for (int expert = 0; expert < experts; expert++) {
      double preference = Math.sin(expert * 2.1 + layer * 1.3) + 0.2 * random.nextGaussian();
      load[expert] = (int) (2048.0 / experts * Math.exp(skew * preference - skew * 0.4));
      first += load[expert] > 40 ? 1 : 0;
    }
    return LayerRouting.of(first, ExpertLoad.of(load));
  }

  private List<ExpertProfile> profiles(SplittableRandom random) {
    var profiles = new ArrayList<ExpertProfile>();
    for (int layer = 0; layer < layers; layer++) {
      for (int expert = 0; expert < experts; expert++) {
        var list = new ArrayList<ExpertProfile.Token>();
        for (int i = 0; i < 8; i++) {
          String token = tokens.get((layer * 7 + expert * 3 + i) % tokens.size());
          double lift = 6.5 / (1 + i) + 1 + random.nextDouble();
          list.add(new ExpertProfile.Token(token, lift, 20 + random.nextInt(900)));
        }
        profiles.add(new ExpertProfile(layer, expert, 1.0 / experts, list));
      }
    }
    return profiles;
  }

  private RunSummary summary(HeldOutSummary heldOut) {
    Optional<ModelFacts.Moe> moe =
        layers == 0 ? Optional.empty() : Optional.of(new ModelFacts.Moe(experts, 2, "topk"));
    return new RunSummary(
        name,
        Ending.of(steps < 500 ? Ending.Reason.TIME_LIMIT : Ending.Reason.COMPLETED),
        new Course(
            true,
            Instant.parse("2026-11-23T06:00:00Z"),
            steps,
            Math.max(500, steps),
            steps * 1024L,
            steps * 4.9,
            OptionalLong.of(5_600L << 20)),
        heldOut,
        new ModelFacts(
            "gpt2",
            "random weights (seed 42)",
            6,
            12,
            768,
            3072,
            50_257,
            281_300_000,
            110_400_000,
            moe),
        new TextFacts("sotu", 1_841_883, 232_629, 16, 64),
        new Execution(
            "cpu",
            "AMD EPYC 9354, 2 threads, 512-bit vectors",
            "f32",
            layers == 0 ? "" : "fused",
            List.of(
                "cuda: no driver (libcuda.so.1 not found)",
                "path auto: fused, since every stage supports it")),
        new MachineFacts("Linux 6.1.0", "amd64", "AMD EPYC 9354 32-Core Processor", 2, 24L << 30),
        new Versions(
            "0.1.0", "25.0.3+9-LTS (Eclipse Adoptium)", List.of("router-energy-ttt 0.1.0")),
        "[pipeline]\nname = \"%s\"\nseed = 42\n\n[moe]\nexperts = %d\ntop_k = 2\n"
            .formatted(name, experts));
  }
}
