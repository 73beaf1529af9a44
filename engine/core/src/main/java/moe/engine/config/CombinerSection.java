package moe.engine.config;

import moe.spi.stage.Options;

/// `[combiner]`: how the experts' results become one.
@Section("How the experts' results become one. A type may have more keys of its own.")
public record CombinerSection(
    @Key(value = "The combiner: `weighted-sum`, or a plugin's.", absent = "weighted-sum")
        String type,
    Options options)
    implements StageSection {}
