package moe.spi;

/// What every service provider has: a name to be chosen by, and the SPI version it was compiled
/// against.
///
/// A provider is a factory and not the stage itself, because a stage needs a device, a layer's
/// shape and weights, which a constructor without arguments cannot have. Providers are created once
/// and must be cheap to construct.
public interface Factory {
  /// The name used in pipeline files, lower case with hyphens: `sorted`, `energy-ttt`, `cuda`.
  String name();

  /// Always `return SpiVersion.CURRENT;`.
  int spiVersion();
}
