package moe.engine.wiring;

import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import moe.spi.device.DeviceInfo;

/// Finds the device that `[backend] device` means.
public sealed interface DeviceChoice {
  /// This device.
  record One(DeviceInfo device) implements DeviceChoice {}

  /// No device, or more than one.
  record None(String reason) implements DeviceChoice {}

  /// The device meant by `wanted`: `auto` for the first, digits for an index, anything else for a
  /// part of one name.
  static DeviceChoice among(List<DeviceInfo> devices, String wanted) {
    if (wanted.equals("auto")) {
      return new One(devices.getFirst());
    }
    List<DeviceInfo> matching =
        devices.stream()
            .filter(
                wanted.matches("\\d{1,9}")
                    ? device -> device.index() == Integer.parseInt(wanted)
                    : device -> lower(device.name()).contains(lower(wanted)))
            .toList();
    if (matching.size() == 1) {
      return new One(matching.getFirst());
    }
    return new None(
        "device = \"%s\" fits %s; there are: %s"
            .formatted(
                wanted,
                matching.isEmpty() ? "no device" : matching.size() + " devices",
                devices.stream()
                    .map(device -> "%d (%s)".formatted(device.index(), device.name()))
                    .collect(Collectors.joining(", "))));
  }

  private static String lower(String name) {
    return name.toLowerCase(Locale.ROOT);
  }
}
