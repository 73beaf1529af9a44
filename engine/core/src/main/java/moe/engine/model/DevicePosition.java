package moe.engine.model;

import moe.spi.device.RecordableOps;
import moe.spi.device.Tensor;

/// A position in a sequence that the device knows and moves by itself, so that a recorded step does
/// the next position when it is played again.
///
/// @param index I32 `[1]`
record DevicePosition(Tensor index, RecordableOps ops) {}
