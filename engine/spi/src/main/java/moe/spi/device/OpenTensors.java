package moe.spi.device;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/// The tensors of one backend that are open and, when asked for, where each was allocated: a book
/// that a backend keeps to close what is left, and to say who left it. Safe for use by several
/// threads.
///
/// Two system properties are read when it is made. `moe.trace.allocations=true` keeps the place of
/// each allocation. `moe.fail.allocation=N` makes the backend refuse its N-th allocation, from 1
/// on, so that a test can try what becomes of each.
public final class OpenTensors<T extends Tensor> {
  private final boolean traced = Boolean.getBoolean("moe.trace.allocations");
  private final long refused = Long.getLong("moe.fail.allocation", 0);
  private final AtomicLong asked = new AtomicLong();
  private final Map<T, Optional<Throwable>> open = new ConcurrentHashMap<>();

  /// Counts an allocation that is about to be made.
  ///
  /// @return whether it is to find no room, though there may be some
  public boolean refusesNext() {
    return asked.incrementAndGet() == refused;
  }

  /// Notes a new tensor.
  public void opened(T tensor) {
    open.put(tensor, traced ? Optional.of(new Throwable(tensor.toString())) : Optional.empty());
  }

  /// Forgets a tensor.
  ///
  /// @return whether it was open
  public boolean closed(T tensor) {
    return open.remove(tensor) != null;
  }

  /// What is open now; changes under the reader.
  public Set<T> all() {
    return open.keySet();
  }

  /// Where what is open now was allocated, as stack traces; empty if nobody asked for them.
  public List<Throwable> places() {
    return open.values().stream().flatMap(Optional::stream).toList();
  }

  /// Logs a warning about each tensor that is still open, if places are kept: for a backend that is
  /// about to close them all.
  ///
  /// @param backend its name
  public void report(String backend) {
    for (Throwable place : places()) {
      System.getLogger("moe.backend." + backend)
          .log(System.Logger.Level.WARNING, backend + ": a tensor was never closed", place);
    }
  }
}
