package moe.engine.wiring;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import moe.engine.config.StageCatalog;
import moe.engine.plugin.PluginRegistry;
import moe.spi.Availability;
import moe.spi.BackendFactory;
import moe.spi.Support;
import moe.spi.device.Backend;
import moe.spi.device.Compute;
import moe.spi.device.DeviceInfo;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import moe.spi.stage.StageFactory;

/// The backend in use, and why those preferred to it were refused.
///
/// @param backend open; closed by `close`
/// @param refusals in the order of preference
public record BackendSelection(Backend backend, List<Refusal> refusals) implements AutoCloseable {
  public BackendSelection {
    refusals = List.copyOf(refusals);
  }

  /// Opens the first backend of the request that works here.
  ///
  /// @throws MoeException kind `DEVICE` with all refusals if none does
  public static BackendSelection open(PluginRegistry registry, BackendRequest request) {
    return open(registry, request, _ -> Support.YES);
  }

  /// Opens the first backend of the request that works here and suits.
  ///
  /// @param suits what the open backend is to be used for
  /// @throws MoeException kind `DEVICE` with all refusals if there is none; kinds `USAGE` or
  ///   `PLUGIN` if the only one asked for does not exist
  public static BackendSelection open(
      PluginRegistry registry, BackendRequest request, Function<Backend, Support> suits) {
    List<Refusal> refusals = new ArrayList<>();
    for (String name : request.prefer()) {
      if (request.prefer().size() == 1 && !StageCatalog.STANDARD_BACKENDS.contains(name)) {
        var _ = registry.require(BackendFactory.class, name);
      }
      switch (attempt(registry, name, request, suits)) {
        case Attempt.Opened(Backend backend) -> {
          return new BackendSelection(backend, refusals);
        }
        case Attempt.Refused(String reason) -> refusals.add(new Refusal(name, reason));
      }
    }
    String reasons = refusals.stream().map(Refusal::toString).collect(Collectors.joining("; "));
    String hint = " (`moe-engine backends` lists what works here)";
    throw new MoeException(
        ErrorKind.DEVICE,
        refusals.size() == 1
            ? "backend %s%s".formatted(reasons, hint)
            : "no backend can run this: %s%s".formatted(reasons, hint));
  }

  @Override
  public void close() {
    backend.close();
  }

  private static Attempt attempt(
      PluginRegistry registry,
      String name,
      BackendRequest request,
      Function<Backend, Support> suits) {
    BackendFactory factory =
        registry.find(BackendFactory.class, name, StageFactory.ANY_BACKEND).orElse(null);
    if (factory == null) {
      return new Attempt.Refused("not installed");
    }
    return switch (Probe.of(factory)) {
      case Availability.Unavailable(String reason, var _) -> new Attempt.Refused(reason);
      case Availability.Available(List<DeviceInfo> devices) ->
          switch (DeviceChoice.among(devices, request.device())) {
            case DeviceChoice.None(String reason) -> new Attempt.Refused(reason);
            case DeviceChoice.One(DeviceInfo chosen) ->
                switch (request.open() ? recommends(factory, chosen) : Support.YES) {
                  case Support.Yes() -> open(factory, chosen, request.compute(), suits);
                  case Support.No(String reason) -> new Attempt.Refused(reason);
                };
          };
    };
  }

  private static Support recommends(BackendFactory factory, DeviceInfo device) {
    try {
      return factory.recommends(device);
    } catch (LinkageError | RuntimeException e) {
      return new Support.No("whether %s suits is not known: %s".formatted(device.name(), e));
    }
  }

  private static Attempt open(
      BackendFactory factory,
      DeviceInfo device,
      Compute compute,
      Function<Backend, Support> suits) {
    Backend backend;
    try {
      Optional<String> cannot = FormatChoice.refusal(factory, device, compute);
      if (cannot.isPresent()) {
        return new Attempt.Refused(cannot.get());
      }
      backend = factory.open(device, compute);
    } catch (MoeException e) {
      return new Attempt.Refused(e.getMessage());
    } catch (LinkageError | RuntimeException e) {
      return new Attempt.Refused("opening %s failed: %s".formatted(device.name(), e));
    }
    boolean kept = false;
    try {
      Attempt attempt =
          switch (suits.apply(backend)) {
            case Support.Yes() -> new Attempt.Opened(backend);
            case Support.No(String reason) -> new Attempt.Refused(reason);
          };
      kept = attempt instanceof Attempt.Opened;
      return attempt;
    } finally {
      if (!kept) {
        backend.close();
      }
    }
  }

  private sealed interface Attempt {
    record Opened(Backend backend) implements Attempt {}

    record Refused(String reason) implements Attempt {}
  }
}
