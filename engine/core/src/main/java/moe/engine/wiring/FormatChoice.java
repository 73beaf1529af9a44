package moe.engine.wiring;

import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import moe.spi.BackendFactory;
import moe.spi.device.Compute;
import moe.spi.device.DeviceInfo;

/// Whether a device multiplies in the format that the user wants.
public final class FormatChoice {
  private FormatChoice() {}

  /// Why it does not; empty if it does.
  public static Optional<String> refusal(
      BackendFactory factory, DeviceInfo device, Compute wanted) {
    Set<Compute> can = wanted == Compute.AUTO ? Set.of(wanted) : factory.computes(device);
    return can.contains(wanted)
        ? Optional.empty()
        : Optional.of(
            "multiplies in %s, not in %s; [precision] compute or --dtype must be auto or one of these"
                .formatted(
                    can.stream().sorted().map(Compute::key).collect(Collectors.joining(", ")),
                    wanted.key()));
  }
}
