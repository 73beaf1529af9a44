package moe.spi.stage;

/// What the two works of an expert cost in energy: reading its weights once, and computing.
///
/// @param joulesPerByte of weights read, at least 0
/// @param joulesPerFlop of a floating-point operation, at least 0
public record EnergyPrices(double joulesPerByte, double joulesPerFlop) {
  public EnergyPrices {
    check("joulesPerByte", joulesPerByte);
    check("joulesPerFlop", joulesPerFlop);
  }

  private static void check(String name, double price) {
    if (!(price >= 0) || Double.isInfinite(price)) {
      throw new IllegalArgumentException(
          "%s = %s: must be at least 0 and finite".formatted(name, price));
    }
  }
}
