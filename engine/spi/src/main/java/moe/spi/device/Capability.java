package moe.spi.device;

/// A fact about an open backend.
public enum Capability {
  /// Operations return before they are done; `DeviceStream.synchronize` waits.
  ASYNC,
  /// `Tensor.segment` works.
  HOST_VISIBLE_MEMORY,
  /// The same operations on the same input give the same bits.
  DETERMINISTIC,
  /// Weights may be stored as `BF16`.
  BF16_WEIGHTS,
  /// The device counts the joules it used.
  ENERGY_COUNTER
}
