package moe.cli;

import java.util.List;
import java.util.Locale;
import java.util.Objects;
import moe.engine.bench.ModelBench;
import moe.engine.config.BlockPath;
import moe.engine.model.Gpt2;
import moe.engine.model.Gpt2Spec;
import moe.engine.model.ModelOptions;
import moe.engine.model.MoeSize;
import moe.engine.plugin.PluginRegistry;
import moe.engine.wiring.StageRequest;
import moe.engine.wiring.StageSelection;
import moe.spi.device.Activation;
import moe.spi.device.Backend;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// The options of `bench` for whole models.
final class BenchModelOptions {
  /// Six of GPT-2's twelve layers, as in Sanh et al., arXiv 1910.01108.
  private static final Gpt2Spec DISTILGPT2 =
      new Gpt2Spec(50257, 1024, 768, 6, 12, 3072, Activation.GELU, 1e-5f, true, null);

  /// A model with random weights.
  enum Model {
    distilgpt2,
    distilgpt2_moe
  }

  @Option(
      names = "--model",
      paramLabel = "MODEL",
      description =
          "A whole model with random weights instead of blocks: ${COMPLETION-CANDIDATES}.")
  private @Nullable Model model;

  @Option(
      names = "--batch",
      paramLabel = "N",
      description = "Sequences of a training step; default: ${DEFAULT-VALUE}.",
      defaultValue = "4")
  private int batch;

  @Option(
      names = "--seq-length",
      paramLabel = "N",
      description = "Tokens of a sequence, or to decode; default: ${DEFAULT-VALUE}.",
      defaultValue = "64")
  private int seqLength;

  BenchModelOptions() {}

  boolean chosen() {
    return model != null;
  }

  /// The chosen model on each of these paths; a dense one has no paths.
  List<ModelBench.Subject> subjects(
      PluginRegistry registry, Backend backend, List<BlockPath> paths) {
    return switch (Objects.requireNonNull(model)) {
      case distilgpt2 -> List.of(new ModelBench.Subject("distilgpt2", DISTILGPT2, new Dense()));
      case distilgpt2_moe ->
          paths.stream()
              .map(path ->
                  new ModelBench.Subject(
                      "distilgpt2_moe",
                      DISTILGPT2.withMoe(new MoeSize(8, 2)),
                      new OnPath(registry, backend, path)))
              .toList();
    };
  }

  private record Dense() implements ModelBench.StageChoice {
    @Override
    public @Nullable StageSelection choose(Gpt2Spec spec, ModelOptions options) {
      return null;
    }

    @Override
    public String path() {
      return "";
    }
  }

  private record OnPath(PluginRegistry registry, Backend backend, BlockPath blockPath)
      implements ModelBench.StageChoice {
    @Override
    public StageSelection choose(Gpt2Spec spec, ModelOptions options) {
      return StageSelection.choose(
          registry,
          StageRequest.STANDARD.on(blockPath),
          Objects.requireNonNull(Gpt2.blockSpec(spec, options)),
          backend);
    }

    @Override
    public String path() {
      return blockPath.name().toLowerCase(Locale.ROOT);
    }
  }

  int batch() {
    return positive("--batch", batch, 1024);
  }

  int seqLength() {
    return positive("--seq-length", seqLength, 1024);
  }

  private static int positive(String option, int value, int most) {
    if (value < 1 || value > most) {
      throw new MoeException(
          ErrorKind.USAGE, "%s %d: must be between 1 and %d".formatted(option, value, most));
    }
    return value;
  }
}
