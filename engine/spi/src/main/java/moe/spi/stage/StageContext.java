package moe.spi.stage;

import moe.spi.device.Backend;

/// All that a stage is made from.
///
/// @param backend open for as long as the stage lives
/// @param spec the block
/// @param parameters the block's trained tensors, owned by the engine
/// @param options the stage's own settings
public record StageContext(
    Backend backend, LayerSpec spec, Parameters parameters, Options options) {}
