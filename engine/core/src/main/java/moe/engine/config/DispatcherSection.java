package moe.engine.config;

import moe.spi.stage.Options;

/// `[dispatcher]`: how tokens are brought to their experts.
@Section("How tokens are brought to their experts. A type may have more keys of its own.")
public record DispatcherSection(
    @Key(value = "The dispatcher: `sorted`, or a plugin's.", absent = "sorted") String type,
    Options options)
    implements StageSection {}
