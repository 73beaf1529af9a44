package moe.engine.generate;

import java.nio.file.Path;
import java.util.function.Function;
import moe.engine.checkpoint.Checkpoint;
import moe.engine.model.Gpt2;
import moe.engine.model.Gpt2Spec;
import moe.engine.model.ModelOptions;
import moe.engine.text.tokenizer.Tokenizer;
import moe.engine.wiring.StageSelection;
import moe.spi.device.Backend;
import moe.spi.device.DType;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import moe.spi.stage.LayerSpec;
import org.jspecify.annotations.Nullable;

/// A model on a device, and its tokenizer.
public record LoadedModel(Gpt2 model, Tokenizer tokenizer) implements AutoCloseable {
  /// Tokens of a prompt that are computed at a time: enough to keep matrix products busy.
  private static final int PROMPT_PIECE = 256;

  /// Vocabularies are padded to multiples of up to this.
  private static final int MOST_PADDING = 1024;

  /// Loads a Hugging Face directory.
  ///
  /// @param weights storage of matrices, `F32` or `BF16`
  /// @param learns whether routers are to learn from the loss, which takes the memory of training
  /// @param stages chooses the stages of a MoE block
  /// @throws MoeException kind `DATA` for anything wrong with the directory, or a tokenizer of
  ///   another model; kind `UNSUPPORTED` if the device or a stage refuses
  public static LoadedModel load(
      Path directory,
      Backend backend,
      DType weights,
      boolean learns,
      Function<LayerSpec, StageSelection> stages) {
    try (Checkpoint checkpoint = Checkpoint.open(directory)) {
      Gpt2Spec spec = checkpoint.spec();
      Tokenizer tokenizer = tokenizer(directory, spec.vocab());
      ModelOptions options =
          new ModelOptions(Math.min(spec.positions(), PROMPT_PIECE), learns, weights);
      LayerSpec block = Gpt2.blockSpec(spec, options);
      @Nullable StageSelection selection = block == null ? null : stages.apply(block);
      return new LoadedModel(Gpt2.create(backend, spec, selection, checkpoint, options), tokenizer);
    }
  }

  private static Tokenizer tokenizer(Path directory, int vocab) {
    Tokenizer tokenizer = Tokenizer.of(directory);
    tokenizer.requireFits(directory.toString(), vocab);
    if (vocab - tokenizer.vocab() >= MOST_PADDING) {
      throw new MoeException(
          ErrorKind.DATA,
          "%s has a vocabulary of %,d, but the tokenizer %s only %,d ids; put the model's own vocab.json and merges.txt there"
              .formatted(directory, vocab, tokenizer.name(), tokenizer.vocab()));
    }
    return tokenizer;
  }

  @Override
  public void close() {
    model.close();
  }
}
