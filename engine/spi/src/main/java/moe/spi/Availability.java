package moe.spi;

import java.util.List;
import moe.spi.device.DeviceInfo;
import org.jspecify.annotations.Nullable;

/// Whether a backend can work on this machine.
public sealed interface Availability {
  /// The backend works here.
  ///
  /// @param devices at least one, the preferred one first
  record Available(List<DeviceInfo> devices) implements Availability {
    public Available {
      devices = List.copyOf(devices);
      if (devices.isEmpty()) {
        throw new IllegalArgumentException("an available backend has at least one device");
      }
    }
  }

  /// The backend does not work here.
  ///
  /// @param reason one line: what was found and what is required
  /// @param cause what was thrown while looking, if anything
  record Unavailable(String reason, @Nullable Throwable cause) implements Availability {}
}
