package moe.engine.config;

/// `[model]`: the transformer around the MoE blocks.
@Section(
    "The transformer around the MoE blocks. With a `path` the checkpoint decides the sizes, and a"
        + " size written here must agree with it.")
public record ModelSection(
    @Key(
            value = "The family of models.",
            absent = "gpt2",
            allowed = {"gpt2"})
        String family,
    @Key(
            value =
                "A Hugging Face directory: `gpt2` is upcycled, `gpt2_moe` is taken as it is; a"
                    + " checkpoint of ours; or a run directory, which stands for its latest"
                    + " checkpoint. Empty: random weights from the seed.",
            absent = "")
        String path,
    @Key(value = "Transformer layers.", absent = "6", least = 1, most = 1024) int layers,
    @Key(value = "Attention heads; they divide `d_model`.", absent = "12", least = 1, most = 1024)
        int heads,
    @Key(value = "Width of a token.", absent = "768", least = 1, most = 65536) int dModel,
    @Key(
            value = "The longest sequence: how many positions have an embedding.",
            unit = "tokens",
            absent = "1024",
            least = 1,
            most = 1 << 20)
        int context,
    @Key(value = "Size of the vocabulary.", absent = "50257", least = 1, most = 1 << 24)
        int vocab) {}
