package com.example.plain;

import java.util.List;
import moe.spi.Availability;
import moe.spi.BackendFactory;
import moe.spi.SpiVersion;
import moe.spi.device.Backend;
import moe.spi.device.DeviceInfo;

/// What the engine finds: it is named in `META-INF/services/moe.spi.BackendFactory`.
public final class PlainBackendFactory implements BackendFactory {
  /// What pipeline files call this backend.
  static final String NAME = "example";

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public int spiVersion() {
    return SpiVersion.CURRENT; // a constant: javac copies it, so an old jar is recognised
  }

  /// A real backend looks for devices here, and turns what goes wrong into `Unavailable`.
  @Override
  public Availability probe() {
    long memory = Runtime.getRuntime().maxMemory();
    return new Availability.Available(
        List.of(new DeviceInfo(NAME, 0, "one thread, plain loops", memory)));
  }

  @Override
  public Backend open(DeviceInfo device) {
    return new PlainBackend(device);
  }
}
