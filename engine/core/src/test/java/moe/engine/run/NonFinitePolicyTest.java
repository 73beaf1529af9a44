package moe.engine.run;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import moe.engine.checkpoint.SafetensorsFile;
import moe.engine.metrics.Ending;
import moe.engine.metrics.RunSummary;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Training from a checkpoint in which one number is NaN.
final class NonFinitePolicyTest {
  private static final String WEIGHT = "transformer.h.1.ln_2.bias";

  @TempDir private Path directory;
  private Path model;

  @BeforeEach
  void spoil() throws IOException {
    new SmallRun(directory.resolve("good")).run(false, 2);
    model = directory.resolve("good/checkpoint-000002");
    Path file = model.resolve("model.safetensors");
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    int header = Math.toIntExact(bytes.getLong(0));
    int at =
        JsonParser.parseString(new String(bytes.array(), 8, header, UTF_8))
            .getAsJsonObject()
            .getAsJsonObject(WEIGHT)
            .getAsJsonArray("data_offsets")
            .get(0)
            .getAsInt();
    bytes.putFloat(8 + header + at, Float.NaN);
    Files.write(file, bytes.array());
  }

  @Test
  void errorEndsTheRunAndNamesLayerStageAndToken() {
    SmallRun run = new SmallRun(directory.resolve("error"));
    RunSummary summary = run(run, "error");
    assertThat(summary.ending().reason()).isEqualTo(Ending.Reason.DIVERGED);
    assertThat(summary.ending().detail())
        .contains(
            "the loss of step 1 is NaN, first in layer 1, norm before feed-forward, token 0: NaN")
        .contains("the weights of step 0 are kept");
    assertThat(summary.course().steps()).isZero();
  }

  @Test
  void skipGoesOnWithoutAnUpdateAndSaysSo() {
    SmallRun run = new SmallRun(directory.resolve("skip"));
    RunSummary summary = run(run, "skip");
    assertThat(summary.ending().reason()).isEqualTo(Ending.Reason.COMPLETED);
    assertThat(summary.course().steps()).isEqualTo(3);
    assertThat(run.notices())
        .filteredOn(line -> line.endsWith("token 0: NaN; it updates nothing"))
        .hasSize(3);
    assertThat(spoilt(directory.resolve("skip/checkpoint-000003"))).isEqualTo(1);
  }

  @Test
  void propagateUpdatesWithWhatThereIs() {
    SmallRun run = new SmallRun(directory.resolve("propagate"));
    RunSummary summary = run(run, "propagate");
    assertThat(summary.ending().reason()).isEqualTo(Ending.Reason.COMPLETED);
    assertThat(run.notices()).noneMatch(line -> line.contains("NaN"));
    assertThat(spoilt(directory.resolve("propagate/checkpoint-000003"))).isGreaterThan(1000);
  }

  private RunSummary run(SmallRun run, String policy) {
    return run.run(false, 3, "model.path=" + model, "run.non_finite=" + policy);
  }

  /// How many of the weights are NaN.
  private static long spoilt(Path checkpoint) {
    try (SafetensorsFile file = SafetensorsFile.open(checkpoint.resolve("model.safetensors"))) {
      long count = 0;
      for (String name : file.names()) {
        for (float value : file.floats(name)) {
          count += Float.isNaN(value) ? 1 : 0;
        }
      }
      return count;
    }
  }
}
