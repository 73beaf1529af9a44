package moe.engine.wiring;

import moe.spi.Availability;
import moe.spi.BackendFactory;

/// Asks a backend for its devices, holding a plugin to its promise that this never throws.
final class Probe {
  private Probe() {}

  /// What `factory.probe()` says; what it throws becomes `Unavailable`.
  static Availability of(BackendFactory factory) {
    try {
      return factory.probe();
    } catch (LinkageError | RuntimeException e) {
      return new Availability.Unavailable("its probe failed: " + e, e);
    }
  }
}
