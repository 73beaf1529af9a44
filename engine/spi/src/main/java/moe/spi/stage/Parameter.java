package moe.spi.stage;

import moe.spi.device.Tensor;
import org.jspecify.annotations.Nullable;

/// A trained tensor on the device, owned by the engine.
///
/// @param name as in its `ParameterSpec`
/// @param value the weights
/// @param gradient F32, same shape, accumulated by backward; null in inference
public record Parameter(String name, Tensor value, @Nullable Tensor gradient) {}
