package moe.spi.stage;

/// How much the terms weigh that a router adds to the loss; 0 leaves a term out.
///
/// @param balance of the balance loss, finite and at least 0
/// @param z of the z-loss, finite and at least 0
public record AuxiliaryWeights(float balance, float z) {
  /// Neither term.
  public static final AuxiliaryWeights NONE = new AuxiliaryWeights(0, 0);

  public AuxiliaryWeights {
    check("balance", balance);
    check("z", z);
  }

  /// Whether both terms are left out.
  public boolean none() {
    return balance == 0 && z == 0;
  }

  private static void check(String name, float weight) {
    if (!(weight >= 0) || Float.isInfinite(weight)) {
      throw new IllegalArgumentException(
          "%s = %s: must be at least 0 and finite".formatted(name, weight));
    }
  }
}
