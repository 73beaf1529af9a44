package moe.backend.cpu.kernel;

import org.jspecify.annotations.Nullable;

/// The rows of an operand as a product reads them: in place, or through assignments.
final class Rows {
  private static final float[] NONE = new float[0];

  private float[] data = NONE;
  private int stride;
  private int @Nullable [] assignments;
  private int divisor = 1;
  private float @Nullable [] gates;

  /// Row r is `data[r·stride …]`.
  void plain(float[] data, int stride) {
    this.data = data;
    this.stride = stride;
    assignments = null;
    divisor = 1;
    gates = null;
  }

  /// Row r is row `assignments[r] / divisor` of the data.
  void gather(int[] assignments, int divisor) {
    this.assignments = assignments;
    this.divisor = divisor;
  }

  /// Row r is multiplied by `gates[assignments[r]]`, or by `gates[r]` without assignments.
  void gates(float[] gates) {
    this.gates = gates;
  }

  float[] data() {
    return data;
  }

  /// Where row r begins in the data.
  int offset(int r) {
    return (assignments == null ? r : assignments[r] / divisor) * stride;
  }

  /// The factor of row r.
  float gate(int r) {
    if (gates == null) {
      return 1;
    }
    return gates[assignments == null ? r : assignments[r]];
  }

  boolean gated() {
    return gates != null;
  }
}
