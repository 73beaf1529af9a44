package moe.conformance.reference;

import moe.spi.stage.LayerSpec;

/// What follows the router: each token through its experts, and their results added by gate.
///
/// @param tokens `[tokens, dModel]`
/// @param ids `[tokens, topK]`, −1 for none
/// @param gates `[tokens, topK]`
@SuppressWarnings("ArrayRecordComponent") // for plain loops; never compared
public record Mixture(LayerSpec spec, Experts experts, double[] tokens, int[] ids, double[] gates) {
  /// `[tokens, dModel]`.
  public Bounded forward() {
    Sums out = new Sums(tokens.length);
    for (int slot = 0; slot < ids.length; slot++) {
      if (ids[slot] >= 0) {
        experts.forward(ids[slot], tokens, token(slot), gates[slot], out, token(slot));
      }
    }
    return out.bounded();
  }

  /// The gradients of tokens and gates; those of the parameters are then in `experts`.
  public Gradients backward(double[] dOut) {
    Sums dTokens = new Sums(tokens.length);
    Sums dGates = new Sums(ids.length);
    for (int slot = 0; slot < ids.length; slot++) {
      if (ids[slot] >= 0) {
        int at = token(slot);
        Sums row = new Sums(spec.dModel());
        experts.forward(ids[slot], tokens, at, 1, row, 0);
        for (int i = 0; i < spec.dModel(); i++) {
          double d = dOut[at + i];
          dGates.add(slot, d * row.value(i), Math.abs(d) * row.magnitude(i));
        }
        experts.backward(ids[slot], tokens, at, gates[slot], dOut, at, dTokens, at);
      }
    }
    return new Gradients(dTokens.bounded(), dGates.bounded());
  }

  /// The gradients of what goes in.
  ///
  /// @param tokens `[tokens, dModel]`
  /// @param gates `[tokens, topK]`
  public record Gradients(Bounded tokens, Bounded gates) {}

  private int token(int slot) {
    return slot / spec.topK() * spec.dModel();
  }
}
