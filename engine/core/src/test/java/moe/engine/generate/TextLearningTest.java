package moe.engine.generate;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import moe.engine.config.BlockPath;
import moe.engine.model.Gpt2;
import moe.engine.model.Gpt2Spec;
import moe.engine.model.ModelOptions;
import moe.engine.model.MoeSize;
import moe.engine.model.RandomWeights;
import moe.engine.plugin.PluginRegistry;
import moe.engine.text.tokenizer.Tokenizer;
import moe.engine.wiring.BackendRequest;
import moe.engine.wiring.BackendSelection;
import moe.engine.wiring.StageRequest;
import moe.engine.wiring.StageSelection;
import moe.spi.device.Activation;
import moe.spi.device.DType;
import moe.spi.stage.Options;
import org.junit.jupiter.api.Test;

/// With `ttt = "lm"`.
final class TextLearningTest {
  private static final int LAYERS = 2;
  private static final Gpt2Spec SPEC =
      new Gpt2Spec(50257, 200, 8, LAYERS, 2, 16, Activation.GELU, 1e-5f, true, new MoeSize(4, 2));
  private static final String PROMPT = "Call me Ishmael. Some years ago";

  @Test
  void learnsFromThePromptAndFromEachChunkOfTheText() {
    try (PluginRegistry registry = PluginRegistry.load((Path) null);
        BackendSelection cpu = BackendSelection.open(registry, BackendRequest.only("cpu"));
        Gpt2 model = model(registry, cpu, true);
        TextGenerator generator = generator(model)) {
      generate(generator, 2);
      assertThat(model.adaptations().progress().updates()).isEqualTo(LAYERS);
      generate(generator, TextLearning.CHUNK + 1);
      assertThat(model.adaptations().progress().updates()).isEqualTo(3 * LAYERS);
    }
  }

  @Test
  void beginsEachPromptWithWhatTheModelHadLearntBefore() {
    try (PluginRegistry registry = PluginRegistry.load((Path) null);
        BackendSelection cpu = BackendSelection.open(registry, BackendRequest.only("cpu"));
        Gpt2 model = model(registry, cpu, true);
        TextGenerator generator = generator(model)) {
      String text = generate(generator, 80);
      assertThat(generator.generate("The whale", 80, _ -> {}).text()).isNotEqualTo(text);
      assertThat(generate(generator, 80)).isEqualTo(text);
    }
  }

  @Test
  void isNotThereInAModelMadeForInference() {
    try (PluginRegistry registry = PluginRegistry.load((Path) null);
        BackendSelection cpu = BackendSelection.open(registry, BackendRequest.only("cpu"));
        Gpt2 model = model(registry, cpu, false);
        TextGenerator generator = generator(model)) {
      assertThat(generate(generator, 5)).isNotEmpty();
      assertThat(model.adaptations().progress().updates()).isZero();
    }
  }

  private static Gpt2 model(PluginRegistry registry, BackendSelection cpu, boolean training) {
    ModelOptions options = new ModelOptions(64, training, DType.F32);
    StageRequest standard = StageRequest.STANDARD;
    StageRequest request =
        new StageRequest(
            BlockPath.AUTO,
            new StageRequest.Named(
                "energy-ttt", new Options(Map.of("ttt", "lm", "ttt_rate", 10.0))),
            standard.dispatcher(),
            standard.experts(),
            standard.combiner());
    StageSelection stages =
        StageSelection.choose(
            registry,
            request,
            Objects.requireNonNull(Gpt2.blockSpec(SPEC, options)),
            cpu.backend());
    return Gpt2.create(cpu.backend(), SPEC, stages, new RandomWeights(3, LAYERS), options);
  }

  private static TextGenerator generator(Gpt2 model) {
    return new TextGenerator(model, Tokenizer.r50k(), new Sampling.Greedy());
  }

  private static String generate(TextGenerator generator, int tokens) {
    return generator.generate(PROMPT, tokens, _ -> {}).text();
  }
}
