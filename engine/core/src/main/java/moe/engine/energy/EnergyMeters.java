package moe.engine.energy;

import java.util.ArrayList;
import java.util.List;
import moe.engine.config.EnergySection;
import moe.engine.config.StageCatalog;
import moe.engine.plugin.PluginRegistry;
import moe.engine.plugin.Provider;
import moe.spi.EnergyMeterFactory;
import moe.spi.Support;
import moe.spi.device.Backend;
import moe.spi.device.DeviceInfo;
import moe.spi.device.EnergyMeter;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;

/// Finds the meter that a pipeline file asks for.
public final class EnergyMeters {
  private static final String AUTO = "auto";
  private static final String NONE = "none";

  private EnergyMeters() {}

  /// What was found.
  public sealed interface Found {}

  /// A meter, open.
  public record Open(EnergyMeter meter) implements Found {}

  /// The roofline in place of one.
  public record Estimated(EstimatedMeter meter) implements Found {}

  /// No meter.
  ///
  /// @param reason one line for the report
  public record Missing(String reason) implements Found {}

  /// Opens the meter for a device.
  ///
  /// @throws MoeException kind `USAGE` for a name that nobody has, kind `UNSUPPORTED` for a meter
  ///   that was asked for by name and does not work here
  public static Found open(EnergySection asked, PluginRegistry registry, Backend backend) {
    List<Provider<EnergyMeterFactory>> all = registry.providers(EnergyMeterFactory.class);
    DeviceInfo device = backend.device();
    return switch (asked.meter()) {
      case NONE -> new Missing("not asked for: energy.meter = \"none\"");
      case EstimatedMeter.NAME -> new Estimated(EstimatedMeter.of(backend, asked.watts()));
      case AUTO -> any(registry, backend);
      default -> named(all, asked.meter(), device);
    };
  }

  /// Opens the first meter that fits the device.
  public static Found any(PluginRegistry registry, Backend backend) {
    return first(registry.providers(EnergyMeterFactory.class), backend.device());
  }

  private static Found first(List<Provider<EnergyMeterFactory>> all, DeviceInfo device) {
    List<String> reasons = new ArrayList<>();
    for (Provider<EnergyMeterFactory> provider : all) {
      switch (provider.factory().supports(device)) {
        case Support.Yes() -> {
          return new Open(provider.factory().open(device));
        }
        case Support.No(String reason) -> reasons.add(provider.name() + ": " + reason);
      }
    }
    return new Missing(
        "there is none for this device (%s); energy.meter = \"estimated\" estimates"
            .formatted(String.join("; ", reasons)));
  }

  private static Found named(
      List<Provider<EnergyMeterFactory>> all, String name, DeviceInfo device) {
    for (Provider<EnergyMeterFactory> provider : all) {
      if (provider.name().equals(name)) {
        return switch (provider.factory().supports(device)) {
          case Support.Yes() -> new Open(provider.factory().open(device));
          case Support.No(String reason) ->
              throw new MoeException(
                  ErrorKind.UNSUPPORTED,
                  "[energy] meter = \"%s\": %s; choose \"auto\", \"estimated\" or \"none\""
                      .formatted(name, reason));
        };
      }
    }
    List<String> names = new ArrayList<>(StageCatalog.STANDARD_METERS);
    all.forEach(provider -> names.add(provider.name()));
    throw new MoeException(
        ErrorKind.USAGE,
        "[energy] meter = \"%s\": no such meter; there are %s"
            .formatted(name, String.join(", ", names)));
  }
}
