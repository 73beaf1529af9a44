package moe.engine.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import moe.spi.device.Shape;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class SlotsTest {
  @TempDir private Path directory;
  private final SmallModel model = new SmallModel();

  @AfterEach
  void close() {
    model.close();
  }

  @Test
  void keepsTheLastTwoInOrderOfTheirSteps() throws IOException {
    for (int step : new int[] {9, 10, 999_999, 1_000_000}) {
      model.save(directory, step, null);
      assertThat(latest()).isEqualTo(step);
    }
    assertThat(entries()).containsExactly("checkpoint-1000000", "checkpoint-999999");
  }

  @Test
  void removesThoseBehindTheOneItWrites() throws IOException {
    model.save(directory, 5, null);
    model.save(directory, 7, null);
    model.save(directory, 6, null); // a run that went on from 5: 7 was damaged
    assertThat(entries()).containsExactly("checkpoint-000005", "checkpoint-000006");
  }

  @Test
  void replacesWhatAKilledWriterLeft() throws IOException {
    model.fill(1);
    model.save(directory, 3, null);
    Files.delete(directory.resolve("checkpoint-000003/training.json"));
    Path partial = Files.createDirectory(directory.resolve("checkpoint.partial"));
    Files.writeString(partial.resolve("model.safetensors.partial"), "half");
    Files.createDirectory(directory.resolve("checkpoint-x"));
    assertThat(new Slots(directory).latest(_ -> {})).isEmpty();

    model.fill(2);
    Path written = model.save(directory, 3, null);
    assertThat(SmallModel.isFilled(written, 2)).isTrue();
    assertThat(entries()).containsExactly("checkpoint-000003", "checkpoint-x");
    try (Stream<Path> files = Files.list(written)) {
      assertThat(files.map(file -> file.getFileName().toString()))
          .containsExactlyInAnyOrder(
              "config.json", "model.safetensors", "optimizer.safetensors", "training.json");
    }
  }

  @Test
  void tellsOfEachDamagedOneAndTakesTheOneBefore() throws IOException {
    model.save(directory, 1, null);
    model.save(directory, 2, null);
    Files.writeString(directory.resolve("checkpoint-000002/training.json"), "{}");
    List<String> notices = new ArrayList<>();
    assertThat(new Slots(directory).latest(notices::add).orElseThrow().state().step()).isEqualTo(1);
    assertThat(notices).singleElement().asString().endsWith("; trying the checkpoint before");
  }

  @Test
  void givesTheOptimizerBackWhatItKept() {
    model.fillMoments(3);
    model.save(directory, 4, null);
    model.fillMoments(0);
    model.restore(new Slots(directory).latest(_ -> {}).orElseThrow());
    assertThat(model.momentsAre(3)).isTrue();
    assertThat(model.momentsAre(0)).isFalse();
  }

  @Test
  void refusesTheMomentsOfAnotherModel() throws IOException {
    Path saved = model.save(directory, 4, null);
    String name = "first.transformer.wte.weight";
    new SafetensorsWriter().add(name, Shape.of(2), new float[2]).write(saved.resolve(Moments.FILE));
    Slots.Saved slot = new Slots.Saved(saved, new TrainingState(4, 1, Instant.EPOCH));
    assertThat(Refusals.line(() -> model.restore(slot)))
        .contains("tensor " + name + " has shape [2], where the model has [199, 32]")
        .contains("another model");
  }

  private int latest() {
    return new Slots(directory).latest(_ -> {}).orElseThrow().state().step();
  }

  private List<String> entries() throws IOException {
    try (Stream<Path> entries = Files.list(directory)) {
      return entries.map(entry -> entry.getFileName().toString()).sorted().toList();
    }
  }
}
