package moe.spi;

/// The version of this SPI, raised whenever a compiled plugin would no longer fit.
public final class SpiVersion {
  /// The version a plugin is compiled against. A constant expression on purpose: javac copies its
  /// value into the plugin, so a jar built against an older SPI still reports the older number and
  /// is refused by name.
  public static final int CURRENT = 1;

  private SpiVersion() {}
}
