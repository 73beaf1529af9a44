package moe.engine.config;

import moe.spi.device.DType;

/// `[precision]`: how numbers are stored and multiplied.
@Section("How numbers are stored and multiplied.")
public record PrecisionSection(
    @Key(
            value =
                "Format of matrix products; `auto` is the fastest that the backend holds to its"
                    + " tolerance.",
            absent = "auto")
        Compute compute,
    @Key(
            value = "Storage of weights; `bf16` halves the bytes read and is for evaluation only.",
            absent = "f32",
            allowed = {"f32", "bf16"})
        DType weights) {}
