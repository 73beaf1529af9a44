package moe.engine.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import moe.engine.config.BlockPath;
import moe.engine.model.Gpt2;
import moe.engine.model.Gpt2Spec;
import moe.engine.model.ModelOptions;
import moe.engine.model.WeightSource;
import moe.engine.oracle.CpuDevice;
import moe.engine.text.tokenizer.Tokenizer;
import moe.spi.device.Activation;
import moe.spi.error.MoeException;
import moe.spi.stage.ParameterSpec;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// With a model that follows each id by the next one.
final class TextGeneratorTest {
  private static final int VOCAB = 8;
  private static final int END = 7;
  private static final int POSITIONS = 6;

  /// The letter a, the four bytes of U+1F600 apart, the letter b, a byte that is never UTF-8, end.
  private static final byte[][] BYTES = {
    {'a'}, {(byte) 0xF0}, {(byte) 0x9F}, {(byte) 0x98, (byte) 0x80}, {'b'}, {(byte) 0xFF}, {'c'}, {}
  };

  private final CpuDevice cpu = new CpuDevice();

  @AfterEach
  void close() {
    cpu.close();
  }

  @Test
  void streamsWholeCharactersOnly() {
    List<String> pieces = new ArrayList<>();
    try (Gpt2 model = counting(VOCAB);
        TextGenerator generator = new TextGenerator(model, new Bytes(), new Sampling.Greedy())) {
      Generation generation = generator.generate("a", 5, pieces::add);
      assertThat(generation.tokens()).containsExactly(1, 2, 3, 4, 5);
      assertThat(pieces).containsExactly("", "", "😀", "b", "\uFFFD", "");
      assertThat(generation.text()).isEqualTo("😀b\uFFFD");
      assertThat(generation.promptTokens()).containsExactly(0);
      assertThat(generation.choices()).isEqualTo(5);
    }
  }

  @Test
  void endsAtEndOfTextAtTheAskedNumberAndAtTheLastPosition() {
    try (Gpt2 model = counting(VOCAB);
        TextGenerator generator = new TextGenerator(model, new Bytes(), new Sampling.Greedy())) {
      Generation ended = generator.generate("b", 50, _ -> {});
      assertThat(ended.stop()).isEqualTo(Generation.Stop.END_OF_TEXT);
      assertThat(ended.tokens()).containsExactly(5, 6);
      assertThat(ended.choices()).isEqualTo(3);
      Generation some = generator.generate("a", 2, _ -> {});
      assertThat(some.stop()).isEqualTo(Generation.Stop.MAX_TOKENS);
      assertThat(some.text()).isEqualTo("\uFFFD"); // of a character that was not complete
      Generation full = generator.generate("a", POSITIONS, _ -> {});
      assertThat(full.stop()).isEqualTo(Generation.Stop.POSITIONS);
      assertThat(full.tokens()).hasSize(POSITIONS - 1);
    }
  }

  @Test
  void refusesAPromptThatIsEmptyOrLeavesNoRoom() {
    try (Gpt2 model = counting(VOCAB);
        TextGenerator generator = new TextGenerator(model, new Bytes(), new Sampling.Greedy())) {
      assertThatThrownBy(() -> generator.generate("", 1, _ -> {}))
          .isInstanceOf(MoeException.class)
          .hasMessageStartingWith("the prompt is empty");
      assertThatThrownBy(() -> generator.generate("aaaaaa", 1, _ -> {}))
          .isInstanceOf(MoeException.class)
          .hasMessageStartingWith("the prompt has 6 tokens, but the model has 6 positions");
      assertThat(generator.generate("aaaaa", 9, _ -> {}).tokens()).containsExactly(1);
    }
  }

  @Test
  void givesTheSameTextForTheSameSeedWhateverCameBefore() {
    try (Gpt2 model = counting(VOCAB)) {
      String text = sampled(model, 3, "a");
      assertThat(sampled(model, 3, "b", "a")).isEqualTo(text);
      List<String> others = new ArrayList<>();
      for (int seed = 4; seed < 14; seed++) {
        others.add(sampled(model, seed, "a"));
      }
      assertThat(others).anyMatch(other -> !other.equals(text));
    }
  }

  private static String sampled(Gpt2 model, long seed, String... prompts) {
    try (TextGenerator generator =
        new TextGenerator(model, new Bytes(), new Sampling.Nucleus(20, 1, seed))) {
      String last = "";
      for (String prompt : prompts) {
        last = generator.generate(prompt, 5, _ -> {}).tokens().toString();
      }
      return last;
    }
  }

  @Test
  void neverDrawsIdsThatTheTokenizerDoesNotHave() {
    try (Gpt2 model = counting(4 * VOCAB)) {
      for (int seed = 0; seed < 20; seed++) {
        try (TextGenerator generator =
            new TextGenerator(model, new Bytes(), new Sampling.Nucleus(100, 1, seed))) {
          assertThat(generator.generate("a", 5, _ -> {}).tokens()).allMatch(id -> id < VOCAB);
        }
      }
    }
  }

  /// Each id is a direction of its own, the layers add nothing, and the head of an id is the
  /// direction of the id before it.
  private Gpt2 counting(int vocab) {
    Gpt2Spec spec =
        new Gpt2Spec(vocab, POSITIONS, vocab, 1, 1, 4, Activation.GELU, 1e-5f, false, null);
    return cpu.model(spec, BlockPath.AUTO, new Counting(vocab), ModelOptions.inference(4));
  }

  private record Counting(int vocab) implements WeightSource {
    @Override
    public void check(ParameterSpec parameter) {}

    @Override
    public void fill(ParameterSpec parameter, MemorySegment values) {
      values.fill((byte) 0);
      for (int id = 0; id < vocab; id++) {
        switch (parameter.name()) {
          case "transformer.wte.weight" -> set(values, id * vocab + id);
          case "lm_head.weight" -> set(values, id * vocab + (id + vocab - 1) % vocab);
          case "transformer.ln_f.weight" -> set(values, id);
          default -> {}
        }
      }
    }

    private static void set(MemorySegment values, int index) {
      values.setAtIndex(ValueLayout.JAVA_FLOAT, index, 1);
    }
  }

  private record Bytes() implements Tokenizer {
    @Override
    public String name() {
      return "bytes";
    }

    @Override
    public String fingerprint() {
      return name();
    }

    @Override
    public int vocab() {
      return VOCAB;
    }

    @Override
    public int endOfText() {
      return END;
    }

    @Override
    public int[] encode(String text) {
      return text.chars().map(c -> "a...b.c".indexOf(c)).toArray();
    }

    @Override
    public byte[] bytes(int id) {
      return id < BYTES.length ? BYTES[id] : "?".getBytes(StandardCharsets.UTF_8);
    }
  }
}
