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
        int heldOutEvery,
    @Key(
            value =
                "The most batches of held-out text in a look; the first look at random weights"
                    + " takes one, a run's last look is as long as the others.",
            unit = "batches",
            absent = "60",
            least = 1,
            most = 1e9)
        int heldOutBatches,
    @Key(
            value =
                "Where those batches lie: `spread` over all of the held-out text, or the `first` of"
                    + " it, one after the other; the unigram figure is that of the same tokens.",
            absent = "spread")
        HeldOutWindows heldOutWindows) {}
