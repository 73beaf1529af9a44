package moe.engine.config;

/// `[pipeline]`: what the pipeline is called and where its randomness starts.
@Section("What the pipeline is called and where its randomness starts.")
public record PipelineSection(
    @Key(value = "The name in reports.", absent = "moe") String name,
    @Key(
            value = "The seed of random weights and of the order of batches.",
            absent = "42",
            least = 0)
        long seed) {}
