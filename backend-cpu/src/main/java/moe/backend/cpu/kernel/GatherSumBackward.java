package moe.backend.cpu.kernel;

import org.jspecify.annotations.Nullable;

/// Gradient of `GatherSum`: `dGates[t, k] = ⟨dOut[t], rows[position]⟩`, `dRows[position] = gates[t,
/// k]·dOut[t]`.
public final class GatherSumBackward extends RowJob {
  private final RowKernels kernels;
  private Floats rows = Floats.NONE;
  private Ints positions = Ints.NONE;
  private Floats dOut = Floats.NONE;
  private Floats dGates = Floats.NONE;
  private Floats gates = Floats.NONE;
  private @Nullable Floats dRows;
  private int topK;
  private int width;

  public GatherSumBackward(CpuThreads threads, InnerLoops loops) {
    super(threads);
    this.kernels = loops.rows;
  }

  /// What `GatherSum` read.
  public GatherSumBackward rows(Floats rows, Ints positions, int topK, int width) {
    this.rows = rows;
    this.positions = positions;
    this.topK = topK;
    this.width = width;
    return this;
  }

  /// Fills `dGates [tokens, topK]`, 0 for an unused slot.
  public void gates(Floats dOut, Floats dGates, int tokens) {
    start(dOut, dGates, tokens);
  }

  /// Fills `dGates`, then `dRows [slots, width]`, which may be the rows.
  public void gatesAndRows(Floats dOut, Floats gates, Floats dGates, Floats dRows, int tokens) {
    this.gates = gates;
    this.dRows = dRows;
    start(dOut, dGates, tokens);
    this.dRows = null;
  }

  private void start(Floats dOut, Floats dGates, int tokens) {
    this.dOut = dOut;
    this.dGates = dGates;
    runRows(tokens, topK * width);
  }

  @Override
  void rows(int from, int to) {
    for (int slot = from * topK; slot < to * topK; slot++) {
      int position = positions.get(slot);
      int dOutAt = dOut.at() + slot / topK * width;
      int rowAt = position * width;
      dGates.array()[dGates.at() + slot] =
          position < 0
              ? 0
              : kernels.dot(dOut.array(), dOutAt, rows.array(), rows.at() + rowAt, width);
      if (position >= 0 && dRows != null) {
        kernels.scale(
            gates.get(slot), dOut.array(), dOutAt, dRows.array(), dRows.at() + rowAt, width);
      }
    }
  }
}
