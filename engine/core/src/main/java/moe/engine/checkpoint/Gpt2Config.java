package moe.engine.checkpoint;

import java.nio.file.Path;
import moe.engine.model.Gpt2Spec;
import moe.engine.model.MoeSize;
import moe.spi.device.Activation;
import org.jspecify.annotations.Nullable;

/// Reads the config.json of a `gpt2` or `gpt2_moe` checkpoint.
///
/// Dropout is not computed, so its rates are ignored, as are keys that change no number.
final class Gpt2Config {
  private static final int MOST = Integer.MAX_VALUE;
  // Far beyond any model; keeps a hostile file from describing two billion layers.
  private static final int MOST_LAYERS = 10_000;

  private final ConfigFile config;

  private Gpt2Config(ConfigFile config) {
    this.config = config;
  }

  /// @throws moe.spi.error.MoeException kind `DATA` for a value that is malformed or that the
  ///   engine does not compute
  static Gpt2Spec read(Path path) {
    return new Gpt2Config(ConfigFile.read(path)).spec();
  }

  private Gpt2Spec spec() {
    boolean moe =
        switch (config.text("model_type", null)) {
          case "gpt2" -> false;
          case "gpt2_moe" -> true;
          case null, default ->
              throw config.wrong("model_type", "this engine reads gpt2 and gpt2_moe");
        };
    refuseOthers();
    int dModel = config.extent("n_embd", MOST / 3);
    int heads = config.extent("n_head", MOST);
    if (dModel % heads != 0) {
      throw config.wrong("n_head", "it must divide n_embd = %d".formatted(dModel));
    }
    return new Gpt2Spec(
        config.extent("vocab_size", MOST),
        config.extent("n_positions", MOST),
        dModel,
        config.extent("n_layer", MOST_LAYERS),
        heads,
        config.extent("n_inner", MOST, Math.clamp(4L * dModel, 1, MOST)),
        activation(),
        config.small("layer_norm_epsilon", 1e-5f),
        config.flag("tie_word_embeddings", true),
        moe ? experts() : null);
  }

  private @Nullable MoeSize experts() {
    int experts = config.extent("num_experts", MOST);
    int topK = config.extent("num_experts_per_tok", MOST);
    if (topK > experts) {
      throw config.wrong(
          "num_experts_per_tok", "it must be at most num_experts = %d".formatted(experts));
    }
    return new MoeSize(experts, topK);
  }

  private Activation activation() {
    return switch (config.text("activation_function", "gelu_new")) {
      case "gelu_new", "gelu_pytorch_tanh" -> Activation.GELU;
      case "silu", "swish" -> Activation.SILU;
      case "relu" -> Activation.RELU;
      case null, default ->
          throw config.wrong(
              "activation_function",
              "this engine computes gelu_new, gelu_pytorch_tanh, silu, swish and relu");
    };
  }

  private void refuseOthers() {
    String remedy = "this engine computes plain GPT-2 attention; use a checkpoint without it";
    if (config.flag("scale_attn_by_inverse_layer_idx", false)) {
      throw config.wrong("scale_attn_by_inverse_layer_idx", remedy);
    }
    if (!config.flag("scale_attn_weights", true)) {
      throw config.wrong("scale_attn_weights", remedy);
    }
    if (config.flag("add_cross_attention", false)) {
      throw config.wrong("add_cross_attention", remedy);
    }
  }
}
