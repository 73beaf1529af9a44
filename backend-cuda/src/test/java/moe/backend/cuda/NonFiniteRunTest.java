package moe.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import moe.engine.checkpoint.SafetensorsFile;
import moe.spi.Availability;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Runs with a letter, z, whose embedding holds one NaN, on the CPU and on CUDA: where the letter
/// occurs, a step is no number, and both backends say and do the same about it.
final class NonFiniteRunTest {
  private static final int STEPS = 6;

  /// Measured up to 1.8e-8 of the loss, times 4: float32 in another order.
  private static final double LOSSES = 7e-8;

  @TempDir private static Path directory;
  private static TinyModel model;
  private static final EmulatedWhereThereIsNone CUDA = new EmulatedWhereThereIsNone();

  @BeforeAll
  static void spoilALetter() throws IOException {
    assumeTrue(CUDA.probe() instanceof Availability.Available, "no GPU and no emulation");
    model = TinyModel.in(directory, CUDA, 'z');
  }

  @Test
  void endsAtTheSameStepWithTheSameWords() {
    EngineRun cpu = run("cpu", "error", "train");
    EngineRun cuda = run("cuda", "error", "train");
    assertThat(cpu.losses()).hasSizeBetween(1, STEPS - 1);
    assertThat(cuda.notices).isEqualTo(cpu.notices);
    assertThat(cuda.notices.getLast())
        .containsPattern(
            "DIVERGED: the loss of step %d is NaN, first in embedding, token \\d+: NaN; the weights of step %d are kept"
                .formatted(cpu.steps.size() + 1, cpu.steps.size()));
    assertThat(cpu.losses()).allMatch(Double::isFinite);
    assertSameLosses(cuda, cpu);
  }

  /// What a skipped step leaves behind shows in the losses after it.
  @Test
  void skipsTheSameStepsAndGoesOnTheSameWay() throws IOException {
    EngineRun cpu = run("cpu", "skip", "train");
    int before = CUDA.played();
    EngineRun cuda = run("cuda", "skip", "train");
    assertThat(cuda.notices).isEqualTo(cpu.notices);
    assertThat(cpu.losses().getLast()).isFinite();
    List<Double> bad = cpu.losses().stream().filter(loss -> loss.isNaN()).toList();
    assertThat(cuda.notices)
        .filteredOn(line -> line.endsWith("; it updates nothing"))
        .hasSameSizeAs(bad)
        .hasSizeBetween(1, STEPS - 2);
    assertSameLosses(cuda, cpu);
    if (Twins.emulated()) { // a GPU does not count them
      assertThat(CUDA.played() - before).as("recorded steps").isGreaterThan(STEPS);
    }
    // The host counts and moves in whole steps of γ, and so does the device.
    assertThat(biases("cuda")).isEqualTo(biases("cpu"));
    assertThat(biases("cpu").getFirst()).as("biases that moved").anyMatch(bias -> bias > 5e-4f);
  }

  /// What routers choose by, in the last checkpoint.
  private static List<List<Float>> biases(String backend) throws IOException {
    Path run = directory.resolve(backend + "-skip-train");
    try (Stream<Path> files = Files.list(run)) {
      Path last =
          files
              .filter(file -> file.getFileName().toString().startsWith("checkpoint-"))
              .max(Comparator.naturalOrder())
              .orElseThrow();
      try (SafetensorsFile stored = SafetensorsFile.open(last.resolve("model.safetensors"))) {
        return IntStream.range(0, 2)
            .mapToObj(
                layer -> stored.floats("transformer.h.%d.moe.router.balance".formatted(layer)))
            .map(values -> IntStream.range(0, values.length).mapToObj(i -> values[i]).toList())
            .toList();
      }
    }
  }

  @Test
  void propagatesTheSameWay() {
    EngineRun cpu = run("cpu", "propagate", "train");
    EngineRun cuda = run("cuda", "propagate", "train");
    assertThat(cuda.notices).isEqualTo(cpu.notices);
    assertThat(cpu.losses().getFirst()).isFinite();
    assertThat(cpu.losses().getLast()).isNaN();
    assertSameLosses(cuda, cpu);
  }

  @ParameterizedTest
  @ValueSource(strings = {"error", "skip", "propagate"})
  void evaluatesTheSameWay(String policy) {
    EngineRun cpu = run("cpu", policy, "evaluate");
    EngineRun cuda = run("cuda", policy, "evaluate");
    assertThat(cuda.notices).isEqualTo(cpu.notices);
    assertSameLosses(cuda, cpu);
  }

  private static EngineRun run(String backend, String policy, String mode) {
    return model.run(
        CUDA,
        backend,
        directory.resolve(String.join("-", backend, policy, mode)),
        "run.non_finite=" + policy,
        "run.mode=" + mode,
        "run.batches=" + STEPS);
  }

  /// NaN in the same places, and numbers that agree.
  private static void assertSameLosses(EngineRun cuda, EngineRun cpu) {
    assertThat(cuda.losses()).hasSameSizeAs(cpu.losses());
    for (int step = 0; step < cpu.losses().size(); step++) {
      assertThat(isNorm(cuda, step)).as("norm of step %d", step + 1).isEqualTo(isNorm(cpu, step));
      double expected = cpu.losses().get(step);
      double found = cuda.losses().get(step);
      assertThat(Double.isNaN(found)).as("step %d", step + 1).isEqualTo(Double.isNaN(expected));
      if (!Double.isNaN(expected)) {
        assertThat(Math.abs(found - expected) / expected)
            .as("step %d: %s, on the CPU %s", step + 1, found, expected)
            .isLessThan(LOSSES);
      }
    }
  }

  private static boolean isNorm(EngineRun run, int step) {
    return Double.isFinite(run.steps.get(step).update().gradientNorm().orElse(0));
  }
}
