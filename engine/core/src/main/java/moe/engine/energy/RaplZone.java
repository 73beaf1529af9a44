package moe.engine.energy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;

/// One counter of Linux's powercap, which wraps around at its range.
final class RaplZone {
  private final Path file;
  private final long range;
  private long last;
  private double joules;

  /// @param directory with `energy_uj` and `max_energy_range_uj`
  RaplZone(Path directory) {
    file = directory.resolve("energy_uj");
    range = read(directory.resolve("max_energy_range_uj"));
    last = read(file);
  }

  /// Joules since this was made. Read at least once in each turn of the counter, minutes at most.
  double joules() {
    long now = read(file);
    long moved = now - last;
    if (moved < 0) {
      moved += range + 1;
    }
    if (moved < 0) {
      throw error(file, "counts %d after %d, beyond its range of %d".formatted(now, last, range));
    }
    last = now;
    joules += moved / 1e6;
    return joules;
  }

  private static long read(Path file) {
    try {
      return Long.parseLong(Files.readString(file, StandardCharsets.US_ASCII).strip());
    } catch (IOException | NumberFormatException e) {
      throw error(file, "cannot be read (%s)".formatted(e));
    }
  }

  private static MoeException error(Path file, String what) {
    return new MoeException(
        ErrorKind.DEVICE,
        "%s: %s; let this user read it, or set energy.meter = \"none\"".formatted(file, what));
  }
}
