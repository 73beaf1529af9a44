package moe.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The dense fixture with a tokenizer in which each of the tokens below is one letter.
final class GenerateCommandTest {
  private static final Path FIXTURES =
      Path.of("..", "core", "src", "test", "resources", "fixtures");

  /// `greedy` in the fixture's reference.safetensors, by PyTorch: 8 given tokens, 16 that follow.
  private static final List<Integer> GREEDY =
      List.of(
          161, 105, 323, 120, 389, 312, 424, 465, 7, 459, 459, 261, 261, 451, 125, 125, 262, 162,
          162, 203, 451, 216, 451, 493);

  private static final String PROMPT = TinyTokenizer.letters(GREEDY, GREEDY.subList(0, 8));
  private static final String TEXT = TinyTokenizer.letters(GREEDY, GREEDY.subList(8, 24));

  @TempDir private Path directory;

  @BeforeEach
  void copy() throws IOException {
    for (String name : new String[] {"config.json", "model.safetensors"}) {
      Files.copy(FIXTURES.resolve("gpt2-tiny").resolve(name), directory.resolve(name));
    }
    TinyTokenizer.write(directory, GREEDY, 512);
  }

  @Test
  void continuesAsPyTorchDoes() {
    Transcript run = generate("--prompt", PROMPT, "--greedy", "--max-tokens", "16");
    assertThat(run.out()).isEqualTo(PROMPT + TEXT + "\n");
    assertThat(run.err())
        .matches("prompt: 8 tokens, [\\d,.]+ tokens/s; text: 16 tokens, [\\d,.]+ tokens/s\n");
    assertThat(run.exitCode()).isZero();
  }

  @Test
  void printsAnObjectALineForPrograms() {
    Transcript run = generate("--prompt", PROMPT, "--greedy", "--max-tokens", "16", "--json");
    assertThat(run.out()).hasLineCount(1);
    JsonObject json = JsonParser.parseString(run.out()).getAsJsonObject();
    assertThat(ints(json.getAsJsonArray("prompt_tokens"))).isEqualTo(GREEDY.subList(0, 8));
    assertThat(ints(json.getAsJsonArray("tokens"))).isEqualTo(GREEDY.subList(8, 24));
    assertThat(json.get("prompt").getAsString()).isEqualTo(PROMPT);
    assertThat(json.get("text").getAsString()).isEqualTo(TEXT);
    assertThat(json.get("stop").getAsString()).isEqualTo("max_tokens");
  }

  private static List<Integer> ints(JsonArray array) {
    return array.asList().stream().map(JsonElement::getAsInt).toList();
  }

  @Test
  void takesEachLineOfStdinAsAPrompt() {
    String second = PROMPT.substring(3);
    Transcript alone = generate("--prompt", second, "--greedy", "--max-tokens", "5");
    for (String[] dash : new String[][] {{}, {"--prompt", "-"}}) {
      String[] options = Arrays.copyOf(dash, dash.length + 3);
      List.of("--greedy", "--max-tokens", "5").toArray(new String[3]);
      System.arraycopy(new String[] {"--greedy", "--max-tokens", "5"}, 0, options, dash.length, 3);
      Transcript run = withStdin(PROMPT + "\n\n" + second + "\n", options);
      assertThat(run.out()).isEqualTo(PROMPT + TEXT.substring(0, 5) + "\n\n" + alone.out());
      assertThat(run.err()).hasLineCount(2);
      assertThat(run.exitCode()).isZero();
    }
  }

  @Test
  void stopsAtTheLastPositionAndSaysSo() {
    Transcript run = generate("--prompt", PROMPT, "--greedy", "--max-tokens", "1000", "--json");
    JsonObject json = JsonParser.parseString(run.out()).getAsJsonObject();
    assertThat(json.getAsJsonArray("tokens")).hasSize(64 - 8);
    assertThat(json.get("stop").getAsString()).isEqualTo("positions");
    assertThat(run.err())
        .startsWith("stopped: prompt and text fill all 64 positions of the model (n_positions)\n");
  }

  @Test
  void drawsTheSameForTheSameSeed() {
    String[] sampled = {"--prompt", PROMPT, "--temperature", "1.5", "--json", "--seed", "1"};
    Object tokens = tokens(generate(sampled));
    assertThat(tokens(generate(sampled))).isEqualTo(tokens);
    sampled[sampled.length - 1] = "2";
    assertThat(tokens(generate(sampled))).isNotEqualTo(tokens);
  }

  private static Object tokens(Transcript run) {
    return JsonParser.parseString(run.out()).getAsJsonObject().get("tokens");
  }

  @Test
  void storesMatricesInBf16WhenAsked() {
    Transcript run =
        generate("--prompt", PROMPT, "--greedy", "--max-tokens", "3", "--dtype", "bf16");
    assertThat(run.exitCode()).isZero();
    assertThat(run.out()).startsWith(PROMPT);
  }

  @Test
  void runsAMixtureOfExperts() throws IOException {
    for (String name : new String[] {"config.json", "model.safetensors"}) {
      Files.delete(directory.resolve(name));
      Files.copy(FIXTURES.resolve("gpt2moe-tiny").resolve(name), directory.resolve(name));
    }
    JsonObject config =
        JsonParser.parseString(Files.readString(directory.resolve("config.json")))
            .getAsJsonObject();
    TinyTokenizer.write(directory, GREEDY, config.get("vocab_size").getAsInt());
    Transcript run = generate("--prompt", PROMPT, "--max-tokens", "3", "--json");
    assertThat(run.err()).hasLineCount(1);
    assertThat(run.exitCode()).isZero();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "2 | --prompt is empty: give a text | --prompt ''",
        "2 | temperature 0.0: must be above 0 | --prompt A --temperature 0",
        "2 | temperature NaN: must be above 0 | --prompt A --temperature NaN",
        "2 | top-p 1.5: must be above 0 and at most 1 | --prompt A --top-p 1.5",
        "2 | --max-tokens 0: must be at least 1 | --prompt A --max-tokens 0",
        "2 | --greedy chooses nothing at random | --prompt A --greedy --top-p 0.5",
        "4 | backend cuda | --prompt A --backend cuda"
      })
  void namesAMistakeInOneLine(int exitCode, String start, String options) {
    assertRefused(exitCode, start, generate(options.replace("''", "").split(" ", -1)));
  }

  @Test
  void refusesAPromptLongerThanThePositionsAndStdinWithoutAny() {
    assertRefused(
        2,
        "the prompt has 64 tokens, but the model has 64 positions",
        generate("--prompt", "A".repeat(64)));
    assertRefused(2, "stdin holds no prompt", withStdin("\n\n"));
  }

  @Test
  void refusesADirectoryWithoutAModelOrWithTheTokenizerOfAnother() throws IOException {
    Path missing = directory.resolve("missing");
    assertRefused(3, missing + ": no such directory", in(missing));
    Path empty = Files.createDirectory(directory.resolve("empty"));
    assertRefused(3, empty + ": neither a model nor a run", in(empty));
    Files.delete(directory.resolve("vocab.json"));
    Files.delete(directory.resolve("merges.txt"));
    assertRefused(
        3,
        "the tokenizer r50k_base has 50,257 ids, but %s has a vocabulary of 512"
            .formatted(directory),
        in(directory));
  }

  @Test
  void takesARunForItsLatestWholeCheckpoint() throws IOException {
    Path run = Files.createDirectory(directory.resolve("run"));
    Files.writeString(run.resolve("pipeline.toml"), "");
    assertRefused(3, run + ": this run has no checkpoint yet", in(run));
  }

  private static Transcript in(Path model) {
    return Transcript.of("generate", "--model", model.toString(), "--prompt", "A");
  }

  private static void assertRefused(int exitCode, String start, Transcript run) {
    assertThat(run.err()).startsWith("moe-engine: " + start).hasLineCount(1);
    assertThat(run.exitCode()).isEqualTo(exitCode);
  }

  private Transcript generate(String... options) {
    String[] args = new String[options.length + 3];
    args[0] = "generate";
    args[1] = "--model";
    args[2] = directory.toString();
    System.arraycopy(options, 0, args, 3, options.length);
    return Transcript.of(args);
  }

  private Transcript withStdin(String text, String... options) {
    InputStream before = System.in;
    System.setIn(new ByteArrayInputStream(text.getBytes(UTF_8)));
    try {
      return generate(options);
    } finally {
      System.setIn(before);
    }
  }
}
