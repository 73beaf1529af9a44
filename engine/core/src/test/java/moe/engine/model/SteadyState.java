package moe.engine.model;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.time.Instant;
import java.util.SplittableRandom;
import moe.engine.config.BlockPath;
import moe.engine.oracle.CpuDevice;
import moe.engine.train.AdamWOptimizer;
import moe.engine.train.TrainingStep;
import moe.spi.device.Activation;
import moe.spi.device.AdamW;

/// A program that prints how many bytes a warm step allocates; run by `SteadyStateTest` in a JVM of
/// its own.
final class SteadyState {
  private static final Gpt2Spec SPEC =
      new Gpt2Spec(31, 64, 16, 2, 2, 24, Activation.RELU, 1e-5f, true, new MoeSize(4, 2));

  /// The least that an object takes: whoever allocates less in a step allocates none.
  static final int OBJECT_BYTES = 16;

  private static final int[] PROMPT = {1, 2, 3};
  private static final int STEPS = 200;
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  public static void main(String[] args) {
    try (CpuDevice cpu = new CpuDevice()) {
      for (BlockPath path : new BlockPath[] {BlockPath.FUSED, BlockPath.STAGED}) {
        training(cpu, path);
      }
      decoding(cpu);
    }
  }

  private static void training(CpuDevice cpu, BlockPath path) {
    int[] ids = new SplittableRandom(3).ints(2 * 11, 0, SPEC.vocab()).toArray();
    try (Gpt2 model = cpu.model(SPEC, path, new RandomWeights(5, 2), ModelOptions.training(22));
        Gpt2Pass pass = model.trainingPass(2, 11);
        AdamWOptimizer optimizer = new AdamWOptimizer(model, new AdamW(.9f, .95f, 1e-8f, .1f))) {
      TrainingStep step = new TrainingStep(model, pass, optimizer);
      step.run(ids, 0, 1e-3);
      long device = cpu.backend().memory().allocatedBytes();
      report(
          path + " heap",
          garbage(() -> {
            step.run(ids, 0, 1e-3);
            var _ = pass.loss();
          }));
      report(path + " device", cpu.backend().memory().allocatedBytes() - device);
    }
  }

  private static void decoding(CpuDevice cpu) {
    try (Gpt2 model =
            cpu.model(SPEC, BlockPath.FUSED, new RandomWeights(5, 2), ModelOptions.inference(3));
        Decoder decoder = new Decoder(model, 64)) {
      // The prompt's own buffers come and go.
      long few = garbage(() -> decode(decoder, 1));
      long many = garbage(() -> decode(decoder, 61));
      report("decoding heap", (many - few) / 60);
    }
  }

  private static void decode(Decoder decoder, int count) {
    decoder.start(PROMPT);
    for (int i = 0; i < count; i++) {
      int best = decoder.chooseMostProbable();
      if (decoder.isFinite() && decoder.logits()[0] > 0) {
        decoder.choose((best + 1) % SPEC.vocab());
      }
      decoder.step();
    }
  }

  private static void report(String what, long bytes) {
    System.out.println(what + " = " + bytes);
  }

  /// The bytes that a step allocates on all threads, in the cleanest of many rounds.
  private static long garbage(Runnable step) {
    long least = Long.MAX_VALUE;
    int same = 0;
    Instant end = Instant.now().plus(PATIENCE);
    while (least >= OBJECT_BYTES && same < 20 && Instant.now().isBefore(end)) {
      long before = allocated();
      for (int i = 0; i < STEPS; i++) {
        step.run();
      }
      long bytes = (allocated() - before) / STEPS;
      same = bytes < least ? 0 : same + 1;
      least = Math.min(least, bytes);
    }
    return least;
  }

  private static long allocated() {
    return ((ThreadMXBean) ManagementFactory.getThreadMXBean()).getTotalThreadAllocatedBytes();
  }

  private SteadyState() {}
}
