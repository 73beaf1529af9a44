package moe.engine.config;

import moe.spi.device.Activation;

/// `[moe]`: the block that replaces each feed-forward network.
@Section("The block that replaces each feed-forward network.")
public record MoeSection(
    @Key(value = "Experts of each block.", absent = "8", least = 1, most = 65536) int experts,
    @Key(value = "Experts per token, at most `experts`.", absent = "2", least = 1, most = 65536)
        int topK,
    @Key(value = "Width of an expert's hidden layer.", absent = "3072", least = 1, most = 1 << 20)
        int dHidden,
    @Key(
            value = "The function between an expert's two matrix products.",
            absent = "gelu",
            allowed = {"gelu", "silu", "relu"})
        Activation activation,
    @Key(value = "Whether the hidden layer is `act(W_gate·x) ∘ (W_up·x)`.", absent = "false")
        boolean gated,
    @Key(value = "Whether router and experts have biases.", absent = "true") boolean bias,
    @Key(
            value =
                "`fused`: one fusion of dispatcher, experts and combiner; `staged`: one after the"
                    + " other; `baseline`: a plain loop over the experts; `auto`: the first of"
                    + " these that the backend supports.",
            absent = "auto")
        BlockPath path) {}
