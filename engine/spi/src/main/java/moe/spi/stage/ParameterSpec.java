package moe.spi.stage;

import moe.spi.device.DType;
import moe.spi.device.Shape;

/// A trained tensor that a stage needs; the engine allocates, loads, updates and saves it.
///
/// @param name below the block's prefix in a checkpoint, for example `experts.up.weight`
/// @param type storage in inference; in training every parameter is F32
/// @param decayed whether AdamW's weight decay applies: matrices yes, biases no
public record ParameterSpec(
    String name, DType type, Shape shape, Initialisation initialisation, boolean decayed) {}
