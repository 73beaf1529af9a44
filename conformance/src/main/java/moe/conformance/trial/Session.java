package moe.conformance.trial;

import java.util.List;
import moe.spi.Availability;
import moe.spi.device.Backend;
import moe.spi.device.DeviceInfo;
import org.jspecify.annotations.Nullable;

/// One device of a subject, opened when a rule first needs it, and what was found out about it.
public final class Session implements AutoCloseable {
  private final Subject subject;
  private final DeviceInfo device;
  private final Ledger ledger = new Ledger();
  private @Nullable Backend backend;

  public Session(Subject subject, DeviceInfo device) {
    this.subject = subject;
    this.device = device;
  }

  /// The devices of a backend, or none with the reason.
  public static Availability probe(Subject subject) {
    return subject.factory().probe();
  }

  /// A session on the first device.
  ///
  /// @throws Skipped if the backend is not available
  public static Session open(Subject subject) {
    return switch (probe(subject)) {
      case Availability.Available(List<DeviceInfo> devices) ->
          new Session(subject, devices.getFirst());
      case Availability.Unavailable(String reason, var _) ->
          throw new Skipped("backend %s: %s".formatted(subject.factory().name(), reason));
    };
  }

  public Subject subject() {
    return subject;
  }

  public DeviceInfo device() {
    return device;
  }

  public Ledger ledger() {
    return ledger;
  }

  /// The backend that the rules share.
  Backend backend() {
    Backend open = backend;
    if (open == null) {
      open = subject.factory().open(device);
      backend = open;
    }
    return open;
  }

  @Override
  public void close() {
    if (backend != null) {
      backend.close();
      backend = null;
    }
  }
}
