package moe.engine.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Whatever happens to one file of a checkpoint, loading it names that file.
final class DamagedCheckpointTest {
  private static final int FLIPS = 1000;
  private static final int BLOCK = 4096;

  @TempDir private Path directory;
  private Path checkpoint;
  private List<Path> files;

  @BeforeEach
  void save() throws IOException {
    Path tokenizer = Files.createDirectory(directory.resolve("tokenizer"));
    Files.writeString(tokenizer.resolve("vocab.json"), "{\"a\": 0}\n");
    Files.writeString(tokenizer.resolve("merges.txt"), "#version: 0.2\n");
    try (SmallModel model = new SmallModel()) {
      checkpoint = model.save(directory, 7, tokenizer);
    }
    try (Stream<Path> entries = Files.list(checkpoint)) {
      files = entries.sorted().toList();
    }
    assertThat(files).hasSize(6);
    assertThat(TrainingState.read(checkpoint).step()).isEqualTo(7);
  }

  @Test
  void isSeenAfterEachOf1000FlippedBits() throws IOException {
    long seed = Long.getLong("moe.seed", 42);
    SplittableRandom random = new SplittableRandom(seed);
    for (int flip = 0; flip < FLIPS; flip++) {
      Path file = files.get(flip % files.size());
      byte[] bytes = Files.readAllBytes(file);
      int at = random.nextInt(bytes.length);
      int bit = random.nextInt(8);
      byte[] damaged = bytes.clone();
      damaged[at] ^= (byte) (1 << bit);
      String what = "bit %d of byte %d, -Dmoe.seed=%d".formatted(bit, at, seed);
      assertNamed(file, bytes, damaged, what);
    }
  }

  @Test
  void isSeenAfterACutAtEachBlock() throws IOException {
    int cuts = 0;
    for (Path file : files) {
      byte[] bytes = Files.readAllBytes(file);
      for (int length = 0; length < bytes.length; length += BLOCK) {
        assertNamed(file, bytes, Arrays.copyOf(bytes, length), "cut to " + length);
        cuts++;
      }
      assertNamed(file, bytes, Arrays.copyOf(bytes, bytes.length - 1), "the last byte");
      assertNamed(file, bytes, Arrays.copyOf(bytes, bytes.length + 1), "a byte more");
    }
    assertThat(cuts).isGreaterThan(20);
  }

  @Test
  void isSeenWhereAFileIsGone() throws IOException {
    for (Path file : files) {
      byte[] bytes = Files.readAllBytes(file);
      Files.delete(file);
      assertThat(Refusals.line(() -> TrainingState.read(checkpoint))).contains(file.toString());
      Files.write(file, bytes);
    }
  }

  @Test
  void leavesTheCheckpointBefore() throws IOException {
    try (SmallModel model = new SmallModel()) {
      model.save(directory, 8, null);
    }
    Path damaged = directory.resolve("checkpoint-000008/training.json");
    Files.write(damaged, new byte[3]);
    List<String> notices = new ArrayList<>();
    assertThat(new Slots(directory).latest(notices::add).orElseThrow().state().step()).isEqualTo(7);
    assertThat(notices).singleElement().asString().contains(damaged.toString());
  }

  private void assertNamed(Path file, byte[] whole, byte[] damaged, String what)
      throws IOException {
    Files.write(file, damaged);
    assertThat(Refusals.line(() -> TrainingState.read(checkpoint)))
        .as("%s: %s", file.getFileName(), what)
        .startsWith(file + ": ");
    Files.write(file, whole);
  }
}
