package moe.engine.config;

import java.time.Duration;

/// `[run]`: how long and how fast is trained or evaluated.
@Section("How long and how fast is trained or evaluated.")
public record RunSection(
    @Key(value = "What is done with the model.", absent = "train") RunMode mode,
    @Key(value = "Epochs of `batches` steps each.", absent = "5", least = 1, most = 1e6) int epochs,
    @Key(value = "Steps of an epoch.", unit = "steps", absent = "100", least = 1, most = 1e9)
        int batches,
    @Key(value = "Sequences of a batch.", absent = "16", least = 1, most = 1 << 20) int batchSize,
    @Key(
            value = "Batches whose gradients are averaged for one step.",
            absent = "1",
            least = 1,
            most = 1e6)
        int accumulate,
    @Key(
            value = "Length of a sequence, at most `context`.",
            unit = "tokens",
            absent = "64",
            least = 1,
            most = 1 << 20)
        int seqLength,
    @Key(value = "Highest learning rate of AdamW.", absent = "0.0003", least = 0, most = 10)
        double learningRate,
    @Key(
            value = "Steps in which the learning rate rises from 0.",
            unit = "steps",
            absent = "50",
            least = 0,
            most = 1e9)
        int warmup,
    @Key(
            value = "Where the cosine schedule ends, relative to `learning_rate`.",
            unit = "share",
            absent = "0.1",
            least = 0,
            most = 1)
        double finalRate,
    @Key(value = "AdamW's decay of matrices.", absent = "0.1", least = 0, most = 10)
        double weightDecay,
    @Key(value = "AdamW's mean of gradients.", absent = "0.9", least = 0, most = 0.999999)
        double beta1,
    @Key(value = "AdamW's mean of squares.", absent = "0.95", least = 0, most = 0.999999)
        double beta2,
    @Key(
            value = "Largest norm of all gradients together; 0: no limit.",
            absent = "1.0",
            least = 0,
            most = 1e9)
        double clip,
    @Key(
            value =
                "What becomes of a step whose loss or gradient is NaN or infinite: an error that"
                    + " names layer, stage and token, a step that updates nothing, or an update.",
            absent = "error")
        NonFinitePolicy nonFinite,
    @Key(
            value = "When to stop, with a checkpoint, whatever is left to do; `0s`: never.",
            unit = "e.g. `90s`, `5m`, `1h30m`",
            absent = "0s")
        Duration timeLimit,
    @Key(
            value =
                "Steps between two checkpoints, which are also written at the end, at the time"
                    + " limit and on Ctrl-C; 0: only then.",
            unit = "steps",
            absent = "100",
            least = 0,
            most = 1e9)
        int checkpointEvery) {}
