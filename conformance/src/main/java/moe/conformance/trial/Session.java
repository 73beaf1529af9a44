package moe.conformance.trial;

import java.util.List;
import java.util.Set;
import moe.spi.Availability;
import moe.spi.device.Backend;
import moe.spi.device.Compute;
import moe.spi.device.DeviceInfo;
import org.jspecify.annotations.Nullable;

/// One device of a subject, opened when a rule first needs it, and what was found out about it.
public final class Session implements AutoCloseable {
  private final Subject subject;
  private final DeviceInfo device;
  private final Compute compute;
  private final Ledger ledger = new Ledger();
  private @Nullable Backend backend;

  /// A session in the format that the backend takes by default.
  public Session(Subject subject, DeviceInfo device) {
    this(subject, device, Compute.AUTO);
  }

  /// A session in a format of products.
  ///
  /// @param compute `AUTO` or one that the device computes
  public Session(Subject subject, DeviceInfo device, Compute compute) {
    this.subject = subject;
    this.device = device;
    this.compute = compute;
  }

  /// The devices of a backend, or none with the reason.
  public static Availability probe(Subject subject) {
    return subject.factory().probe();
  }

  /// A session on the first device, in the format that the backend takes by default.
  ///
  /// @throws Skipped if the backend is not available
  public static Session open(Subject subject) {
    return open(subject, Compute.AUTO);
  }

  /// A session on the first device.
  ///
  /// @param compute `AUTO` or a format of products
  /// @throws Skipped if the backend is not available, or not in this format
  public static Session open(Subject subject, Compute compute) {
    return switch (probe(subject)) {
      case Availability.Available(List<DeviceInfo> devices) -> {
        DeviceInfo device = devices.getFirst();
        Set<Compute> can = subject.factory().computes(device);
        if (compute != Compute.AUTO && !can.contains(compute)) {
          throw new Skipped(
              "backend %s does not multiply in %s"
                  .formatted(subject.factory().name(), compute.key()));
        }
        yield new Session(subject, device, compute);
      }
      case Availability.Unavailable(String reason, var _) ->
          throw new Skipped("backend %s: %s".formatted(subject.factory().name(), reason));
    };
  }

  public Subject subject() {
    return subject;
  }

  /// The format in which products multiply, never `AUTO`.
  public Compute precision() {
    return compute == Compute.AUTO ? backend().precision() : compute;
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
      open = subject.factory().open(device, compute);
      backend = open;
    }
    if (compute != Compute.AUTO && open.precision() != compute) {
      throw new Violation(
          "opened to multiply in %s, its precision is %s"
              .formatted(compute.key(), open.precision().key()));
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
