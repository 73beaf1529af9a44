package moe.engine.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.stream.Stream;
import moe.engine.files.NamedPipe;
import moe.engine.oracle.Fixture;
import moe.spi.device.DType;
import moe.spi.device.Shape;
import moe.spi.stage.Initialisation;
import moe.spi.stage.ParameterSpec;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Checkpoint directories that are incomplete, contradict themselves, or reach for other files.
final class HostileCheckpointTest {
  private static final String WEIGHT = "transformer.ln_f.weight";

  @TempDir private Path directory;

  @BeforeEach
  void copyConfig() throws IOException {
    Files.copy(Fixture.GPT2_MOE.resolve("config.json"), directory.resolve("config.json"));
  }

  @ParameterizedTest(name = "{0} to {1}")
  @MethodSource("configs")
  void refusesAConfig(String old, String changed, String expected) throws IOException {
    Path config = directory.resolve("config.json");
    String text = Files.readString(config);
    assertThat(text).contains(old);
    Files.writeString(config, text.replace(old, changed));
    Files.copy(
        Fixture.GPT2_MOE.resolve("model.safetensors"), directory.resolve("model.safetensors"));
    assertThat(open()).startsWith(config + ": ").contains(expected);
  }

  static Stream<Arguments> configs() {
    return Stream.of(
        arguments("\"gpt2_moe\"", "\"llama\"", "model_type = llama; this engine reads gpt2"),
        arguments("\"model_type\"", "\"kind\"", "model_type is missing"),
        arguments("\"n_head\": 4", "\"n_head\": 5", "n_head = 5; it must divide n_embd = 64"),
        arguments("\"n_head\": 4", "\"n_head\": 0", "n_head = 0; it must be a whole number"),
        arguments("\"n_head\": 4", "\"n_head\": -4", "n_head = -4"),
        arguments("\"n_head\": 4", "\"n_head\": 4.5", "n_head = 4.5"),
        arguments("\"n_head\": 4", "\"n_head\": \"4\"", "n_head = 4; it must be a whole number"),
        arguments("\"n_head\": 4", "\"n_head\": 4, \"n_head\": 4", "\"n_head\" occurs twice"),
        arguments("\"n_embd\": 64", "\"n_embd\": 4294967360", "n_embd = 4294967360"),
        arguments("\"n_layer\": 2", "\"n_layer\": 2000000000", "from 1 to 10000"),
        arguments("\"n_layer\": 2,", "", "n_layer is missing"),
        arguments("_per_tok\": 2", "_per_tok\": 9", "it must be at most num_experts = 8"),
        arguments("gelu_new", "gelu", "activation_function = gelu; this engine computes"),
        arguments("1e-05", "0", "layer_norm_epsilon = 0"),
        arguments("1e-05", "NaN", "not valid JSON"),
        arguments("\"tie_word_embeddings\": true", "\"tie_word_embeddings\": 1", "true or false"),
        arguments("{", "{\"scale_attn_by_inverse_layer_idx\": true,", "this engine computes plain"),
        arguments("{", "{\"scale_attn_weights\": false,", "this engine computes plain"),
        arguments("{", "{\"add_cross_attention\": true,", "this engine computes plain"),
        arguments("}", "", "not valid JSON"));
  }

  @Test
  void namesADirectoryThatIsNotThere() {
    Path missing = directory.resolve("missing");
    assertThat(Refusals.line(() -> Checkpoint.open(missing).close()))
        .startsWith(missing + ": no such directory; give a directory");
  }

  @Test
  void namesAFileWhereADirectoryIsNeeded() {
    Path file = directory.resolve("config.json");
    assertThat(Refusals.line(() -> Checkpoint.open(file).close()))
        .startsWith(file + ": not a directory");
  }

  @Test
  void namesWhatItLooksForInAnEmptyDirectory() throws IOException {
    assertThat(open()).contains("no model.safetensors and no model.safetensors.index.json");
    Files.createFile(directory.resolve("pytorch_model.bin"));
    assertThat(open()).contains("save the model as safetensors");
  }

  @Test
  void refusesAPipeOrADirectoryForWeights() throws IOException {
    Files.createDirectory(directory.resolve("model.safetensors"));
    assertThat(open()).contains("not a regular file");
  }

  /// Opening a pipe would wait for a writer for ever.
  @ParameterizedTest
  @ValueSource(
      strings = {
        "config.json",
        "model.safetensors",
        "model.safetensors.index.json",
        "x.safetensors"
      })
  void refusesAPipe(String name) throws IOException {
    Files.writeString(
        directory.resolve("model.safetensors.index.json"),
        "{\"weight_map\": {\"%s\": \"x.safetensors\"}}".formatted(WEIGHT));
    Path pipe = NamedPipe.at(directory.resolve(name));
    String line = assertTimeoutPreemptively(Duration.ofMinutes(1), this::open);
    assertThat(line).startsWith(pipe + ": not a regular file");
  }

  @Test
  void namesAMissingWeight() {
    writeWeights(new SafetensorsWriter().add("x", Shape.of(1), new float[1]));
    assertThat(check(Shape.of(64)))
        .contains("model.safetensors: no tensor " + WEIGHT + ", which config.json asks for");
  }

  @Test
  void namesAShapeThatContradictsTheConfig() {
    writeWeights(new SafetensorsWriter().add(WEIGHT, Shape.of(65), new float[65]));
    assertThat(check(Shape.of(64)))
        .contains("tensor " + WEIGHT + " has shape [65], where config.json asks for [64]");
  }

  @Test
  void refusesIntegersForWeights() {
    writeWeights(new SafetensorsWriter().add(WEIGHT, Shape.of(64), new int[64]));
    assertThat(check(Shape.of(64))).contains("holds I32; F32, F16 and BF16 are read");
  }

  @ParameterizedTest(name = "'{0}'")
  @MethodSource("shards")
  void refusesAShardOutsideItsDirectory(String shard, String expected) throws IOException {
    Path outside = directory.resolve("outside");
    Path checkpoint = Files.createDirectory(directory.resolve("checkpoint"));
    Files.copy(directory.resolve("config.json"), checkpoint.resolve("config.json"));
    new SafetensorsWriter().add(WEIGHT, Shape.of(64), new float[64]).write(outside);
    Files.createSymbolicLink(checkpoint.resolve("link.safetensors"), outside);
    Files.createDirectory(checkpoint.resolve("folder.safetensors"));
    Files.writeString(
        checkpoint.resolve("model.safetensors.index.json"),
        "{\"weight_map\": {\"%s\": \"%s\"}}".formatted(WEIGHT, shard));
    assertThat(Refusals.line(() -> Checkpoint.open(checkpoint).close()))
        .startsWith(checkpoint.toString())
        .contains(expected);
  }

  static Stream<Arguments> shards() {
    return Stream.of(
        arguments("../outside", "no plain file name"),
        arguments("/etc/hostname", "no plain file name"),
        arguments("a/../../outside", "no plain file name"),
        arguments("..", "no plain file name"),
        arguments("", "no plain file name"),
        arguments("link.safetensors", "a link out of its directory"),
        arguments("folder.safetensors", "not a regular file"),
        arguments("missing.safetensors", "no such file"));
  }

  @Test
  void namesATensorThatItsShardLacks() throws IOException {
    Path shard = directory.resolve("one.safetensors");
    new SafetensorsWriter().add("x", Shape.of(1), new float[1]).write(shard);
    Files.writeString(
        directory.resolve("model.safetensors.index.json"),
        "{\"weight_map\": {\"%s\": \"one.safetensors\"}}".formatted(WEIGHT));
    assertThat(open()).contains("tensor " + WEIGHT + " is not in one.safetensors");
  }

  private String open() {
    return Refusals.line(() -> Checkpoint.open(directory).close());
  }

  private void writeWeights(SafetensorsWriter writer) {
    writer.write(directory.resolve("model.safetensors"));
  }

  private String check(Shape shape) {
    return Refusals.line(() -> {
      try (Checkpoint checkpoint = Checkpoint.open(directory)) {
        checkpoint.check(new ParameterSpec(WEIGHT, DType.F32, shape, Initialisation.ONES, false));
      }
    });
  }
}
