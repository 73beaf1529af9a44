package moe.engine.config;

import moe.spi.device.Compute;
import moe.spi.device.DType;

/// `[precision]`: how numbers are stored and multiplied.
@Section("How numbers are stored and multiplied.")
public record PrecisionSection(
    @Key(
            value =
                "Format of matrix products; sums and trained weights are in float32 always. `auto`"
                    + " is `f32` on every backend; `cuda` also has `tf32`, `bf16`, and `f16` with"
                    + " gradients in TF32. A backend without the format is refused.",
            absent = "auto")
        Compute compute,
    @Key(
            value = "Storage of weights; `bf16` halves the bytes read and is for evaluation only.",
            absent = "f32",
            allowed = {"f32", "bf16"})
        DType weights) {}
