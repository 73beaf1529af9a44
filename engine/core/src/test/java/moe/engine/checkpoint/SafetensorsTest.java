package moe.engine.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import moe.spi.device.DType;
import moe.spi.device.Shape;
import moe.spi.stage.Initialisation;
import moe.spi.stage.ParameterSpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class SafetensorsTest {
  private static final float[] ODD = {0, -0f, 1.5f, Float.MIN_VALUE, Float.NEGATIVE_INFINITY};

  @TempDir private Path directory;

  @Test
  void readsWhatItWrote() {
    Path path = directory.resolve("x.safetensors");
    new SafetensorsWriter()
        .add("floats", Shape.of(5), ODD)
        .add("none", Shape.of(0, 3), new float[0])
        .add("ints", Shape.of(2, 1), new int[] {7, Integer.MIN_VALUE})
        .add("longs", Shape.of(2), new long[] {-1, Integer.MAX_VALUE})
        .add("name \"with\" \u00e9", Shape.of(), new float[] {3})
        .write(path);
    try (SafetensorsFile file = SafetensorsFile.open(path)) {
      assertThat(file.names())
          .containsExactly("floats", "none", "ints", "longs", "name \"with\" \u00e9");
      assertThat(file.floats("floats")).isEqualTo(ODD);
      assertThat(file.floats("none")).isEmpty();
      assertThat(file.ints("ints")).containsExactly(7, Integer.MIN_VALUE);
      assertThat(file.ints("longs")).containsExactly(-1, Integer.MAX_VALUE);
      assertThat(file.floats("name \"with\" \u00e9")).containsExactly(3f);
      assertThat(file.get("ints").shape()).isEqualTo(Shape.of(2, 1));
    }
  }

  @Test
  void alignsTheDataAndWritesLargeTensorsWhole() throws IOException {
    for (int letters = 1; letters <= 8; letters++) {
      Path path = directory.resolve(letters + ".safetensors");
      float[] large = new float[(1 << 18) + letters]; // some more than the writer's piece
      for (int i = 0; i < large.length; i++) {
        large[i] = i;
      }
      new SafetensorsWriter()
          .add("<" + "a".repeat(letters), Shape.of(large.length), large)
          .write(path);
      byte[] bytes = Files.readAllBytes(path);
      long header = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong(0);
      assertThat(header % 8).as("header of %d bytes", header).isZero();
      assertThat(new String(bytes, 8, (int) header, StandardCharsets.UTF_8))
          .contains("\"<" + "a".repeat(letters))
          .matches("(?s).*\\} {0,7}");
      try (SafetensorsFile file = SafetensorsFile.open(path)) {
        assertThat(file.floats("<" + "a".repeat(letters))).isEqualTo(large);
      }
    }
  }

  @Test
  void widensHalvesAndBrainFloats() {
    Path path = directory.resolve("x.safetensors");
    short[] halves = {Float.floatToFloat16(1.5f), Float.floatToFloat16(-65504f)};
    short[] brain = {(short) (Float.floatToIntBits(-3f) >>> 16), 0x7F80};
    new SafetensorsWriter()
        .add("f16", StoredType.F16, Shape.of(2), MemorySegment.ofArray(halves))
        .add("bf16", StoredType.BF16, Shape.of(2), MemorySegment.ofArray(brain))
        .write(path);
    try (SafetensorsFile file = SafetensorsFile.open(path)) {
      assertThat(file.floats("f16")).containsExactly(1.5f, -65504f);
      assertThat(file.floats("bf16")).containsExactly(-3f, Float.POSITIVE_INFINITY);
    }
  }

  @Test
  void readsBehindFourGibibytes() throws IOException {
    Path path = directory.resolve("large.safetensors");
    long large = 49L * (1 << 30) / 10 / 20 * 20; // 4.9 GiB in rows of 5 floats
    byte[] header =
        """
        {"large": {"dtype": "F32", "shape": [%d, 5], "data_offsets": [0, %d]},
         "last": {"dtype": "F32", "shape": [2], "data_offsets": [%d, %d]}}\
        """
            .formatted(large / 20, large, large, large + 8)
            .getBytes(StandardCharsets.UTF_8);
    ByteBuffer head = ByteBuffer.allocate(8 + header.length).order(ByteOrder.LITTLE_ENDIAN);
    ByteBuffer last = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
    try (FileChannel channel =
        FileChannel.open(
            path,
            StandardOpenOption.CREATE_NEW,
            StandardOpenOption.WRITE,
            StandardOpenOption.SPARSE)) {
      channel.write(head.putLong(header.length).put(header).flip());
      channel.write(last.putFloat(1.5f).putFloat(-2).flip(), head.limit() + large);
      assertThat(channel.size()).isGreaterThan(4L << 30);
    }
    try (SafetensorsFile file = SafetensorsFile.open(path)) {
      assertThat(file.get("large").byteSize()).isEqualTo(large);
      assertThat(file.floats("last")).containsExactly(1.5f, -2f);
    }
  }

  /// Other writers sort by type or by size.
  @Test
  void readsTensorsInAnyOrderOfTheHeader() throws IOException {
    byte[] header =
        """
        {"second": {"dtype": "I32", "shape": [1], "data_offsets": [8, 12]},
         "none": {"dtype": "F32", "shape": [0], "data_offsets": [8, 8]},
         "first": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}\
        """
            .getBytes(StandardCharsets.UTF_8);
    ByteBuffer bytes = ByteBuffer.allocate(8 + header.length + 12).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putLong(header.length).put(header).putFloat(1.5f).putFloat(-2).putInt(7);
    Path path = Files.write(directory.resolve("x.safetensors"), bytes.array());
    try (SafetensorsFile file = SafetensorsFile.open(path)) {
      assertThat(file.floats("first")).containsExactly(1.5f, -2f);
      assertThat(file.ints("second")).containsExactly(7);
      assertThat(file.floats("none")).isEmpty();
      assertThat(Refusals.line(() -> file.get("third"))).startsWith(path + ": no tensor third");
      assertThat(Refusals.line(() -> file.floats("second"))).contains("tensor second holds I32");
    }
  }

  @Test
  void refusesALongThatTakesMoreThan32Bits() {
    Path path = directory.resolve("x.safetensors");
    new SafetensorsWriter().add("longs", Shape.of(1), new long[] {1L << 31}).write(path);
    try (SafetensorsFile file = SafetensorsFile.open(path)) {
      assertThat(Refusals.line(() -> file.ints("longs"))).contains("32-bit integers");
    }
  }

  @Test
  void readsShardsAndNamesWithoutPrefixAndTransposes() throws IOException {
    Files.writeString(
        directory.resolve("config.json"),
        """
        {"model_type": "gpt2", "n_embd": 2, "n_layer": 1, "n_head": 1, "vocab_size": 3,
         "n_positions": 4}\
        """);
    float[] rows = {1, 2, 3, 4, 5, 6};
    new SafetensorsWriter()
        .add("h.0.attn.c_attn.weight", Shape.of(2, 3), rows)
        .write(directory.resolve("model-1.safetensors"));
    new SafetensorsWriter()
        .add("wte.weight", Shape.of(3, 2), rows)
        .write(directory.resolve("model-2.safetensors"));
    Files.writeString(
        directory.resolve("model.safetensors.index.json"),
        """
        {"metadata": {"total_size": 48}, "weight_map": {
          "h.0.attn.c_attn.weight": "model-1.safetensors", "wte.weight": "model-2.safetensors"}}\
        """);
    try (Checkpoint checkpoint = Checkpoint.open(directory)) {
      assertThat(checkpoint.spec().dHidden()).isEqualTo(8);
      assertThat(read(checkpoint, "transformer.wte.weight")).isEqualTo(rows);
      assertThat(read(checkpoint, "transformer.h.0.attn.c_attn.weight"))
          .containsExactly(1, 4, 2, 5, 3, 6);
    }
  }

  private static float[] read(Checkpoint checkpoint, String name) {
    ParameterSpec parameter =
        new ParameterSpec(name, DType.F32, Shape.of(3, 2), Initialisation.NORMAL, true);
    checkpoint.check(parameter);
    float[] values = new float[6];
    checkpoint.fill(parameter, MemorySegment.ofArray(values));
    return values;
  }
}
