package moe.backend.cpu.kernel;

import org.jspecify.annotations.Nullable;

/// The rows of an operand as a product reads them: in place, or through assignments.
final class Rows {
  private float[] data = Floats.NONE.array();
  private int at;
  private int stride;
  private @Nullable Ints assignments;
  private int divisor = 1;
  private @Nullable Floats gates;

  /// Row r is `data[r·stride …]`.
  void plain(Floats data, int stride) {
    this.data = data.array();
    at = data.at();
    this.stride = stride;
    assignments = null;
    divisor = 1;
    gates = null;
  }

  /// Row r is row `assignments[r] / divisor` of the data.
  void gather(Ints assignments, int divisor) {
    this.assignments = assignments;
    this.divisor = divisor;
  }

  /// Row r is multiplied by `gates[assignments[r]]`, or by `gates[r]` without assignments.
  void gates(Floats gates) {
    this.gates = gates;
  }

  float[] data() {
    return data;
  }

  /// Where row r begins in the data.
  int offset(int r) {
    return at + (assignments == null ? r : assignments.get(r) / divisor) * stride;
  }

  /// The factor of row r.
  float gate(int r) {
    if (gates == null) {
      return 1;
    }
    return gates.array()[gates.at() + (assignments == null ? r : assignments.get(r))];
  }

  /// Whether the rows lie in the data one after the other, as they are.
  boolean inOrder() {
    return gates == null && assignments == null;
  }

  /// From one row of the data to the next.
  int stride() {
    return stride;
  }
}
