package moe.engine.config;

/// `[metrics]`: what is measured on the way.
@Section("What is measured on the way.")
public record MetricsSection(
    @Key(
            value = "Steps between two looks at the held-out text; 0: only at the end.",
            unit = "steps",
            absent = "50",
            least = 0,
            most = 1e9)
        int heldOutEvery) {}
