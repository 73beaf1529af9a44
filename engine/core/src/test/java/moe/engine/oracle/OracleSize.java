package moe.engine.oracle;

/// The extents of an oracle.
///
/// @param experts 0 for a dense model
/// @param activation as in config.json: `gelu_new`, `silu` or `relu`
public record OracleSize(
    int vocab,
    int positions,
    int dModel,
    int layers,
    int heads,
    int dHidden,
    int experts,
    int topK,
    String activation,
    boolean tied) {
  static final double EPSILON = 1e-5;

  String config() {
    String common =
        """
        {"model_type": "%s", "vocab_size": %d, "n_positions": %d, "n_embd": %d, "n_layer": %d,
         "n_head": %d, "n_inner": %d, "activation_function": "%s", "layer_norm_epsilon": 1e-05,
         "tie_word_embeddings": %b\
        """
            .formatted(
                experts == 0 ? "gpt2" : "gpt2_moe",
                vocab,
                positions,
                dModel,
                layers,
                heads,
                dHidden,
                activation,
                tied);
    return experts == 0
        ? common + "}"
        : common + ", \"num_experts\": %d, \"num_experts_per_tok\": %d}".formatted(experts, topK);
  }
}
