package moe.engine.config;

/// Where something was written: a line of the file, or an override.
///
/// @param order sorts places: lines first, then overrides in their order, then what has no place
/// @param text for example `distilgpt2.toml:12`
record Place(long order, String text) implements Comparable<Place> {
  private static final long OVERRIDES = 1L << 32;

  static Place line(String file, int line) {
    return new Place(line, file + ":" + line);
  }

  static Place override(int index, String written) {
    return new Place(OVERRIDES + index, "--set " + Shown.text(written));
  }

  /// The file as a whole, for a value that was not written but follows from defaults.
  static Place file(String file) {
    return new Place(Long.MAX_VALUE, file);
  }

  @Override
  public int compareTo(Place other) {
    return Long.compare(order, other.order);
  }
}
