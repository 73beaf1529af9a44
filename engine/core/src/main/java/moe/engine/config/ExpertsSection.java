package moe.engine.config;

import moe.spi.stage.Options;

/// `[experts]`: what an expert computes.
@Section("What an expert computes. A type may have more keys of its own.")
public record ExpertsSection(
    @Key(value = "The expert executor: `fused-ffn`, or a plugin's.", absent = "fused-ffn")
        String type,
    Options options)
    implements StageSection {}
