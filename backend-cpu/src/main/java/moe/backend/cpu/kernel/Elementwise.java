package moe.backend.cpu.kernel;

import moe.spi.device.Activation;

/// Operations on tensors of equal size, element by element.
public final class Elementwise extends RowJob {
  private enum Kind {
    ADD,
    MULTIPLY,
    SCALE,
    ACTIVATE,
    ACTIVATE_BACKWARD
  }

  /// Elements of a row of work.
  private static final int STRETCH = 4096;

  private final RowKernels rows;
  private final ActivationKernels activations;
  private Kind kind = Kind.ADD;
  private Activation activation = Activation.NONE;
  private float factor;
  private Floats a = Floats.NONE;
  private Floats b = Floats.NONE;
  private Floats out = Floats.NONE;
  private int n;

  public Elementwise(CpuThreads threads, InnerLoops loops) {
    super(threads);
    this.rows = loops.rows;
    this.activations = loops.activations;
  }

  /// `out = a + b`; `out` may be `a` or `b`.
  public void add(Floats a, Floats b, Floats out, int n) {
    start(Kind.ADD, a, b, out, n);
  }

  /// `out = a ∘ b`; `out` may be `a` or `b`.
  public void multiply(Floats a, Floats b, Floats out, int n) {
    start(Kind.MULTIPLY, a, b, out, n);
  }

  /// `x = factor·x`, in place.
  public void scale(float factor, Floats x, int n) {
    this.factor = factor;
    start(Kind.SCALE, x, x, x, n);
  }

  /// `y = activation(x)`; `y` may be `x`.
  public void activate(Activation activation, Floats x, Floats y, int n) {
    this.activation = activation;
    start(Kind.ACTIVATE, x, x, y, n);
  }

  /// `dX = dY · activation′(x)`; `dX` may be `dY`.
  public void activateBackward(Activation activation, Floats x, Floats dY, Floats dX, int n) {
    this.activation = activation;
    start(Kind.ACTIVATE_BACKWARD, x, dY, dX, n);
  }

  private void start(Kind kind, Floats a, Floats b, Floats out, int n) {
    this.kind = kind;
    this.a = a;
    this.b = b;
    this.out = out;
    this.n = n;
    runRows(Math.ceilDiv(n, STRETCH), STRETCH);
  }

  @Override
  void rows(int from, int to) {
    int at = from * STRETCH;
    int part = (int) Math.min(n, (long) to * STRETCH) - at;
    int aAt = a.at() + at;
    int bAt = b.at() + at;
    int outAt = out.at() + at;
    switch (kind) {
      case ADD -> rows.add(a.array(), aAt, b.array(), bAt, out.array(), outAt, part);
      case MULTIPLY -> rows.multiply(a.array(), aAt, b.array(), bAt, out.array(), outAt, part);
      case SCALE -> rows.scale(factor, a.array(), aAt, out.array(), outAt, part);
      case ACTIVATE -> activations.activate(activation, a.array(), aAt, out.array(), outAt, part);
      case ACTIVATE_BACKWARD ->
          activations.activateBackward(
              activation, a.array(), aAt, b.array(), bAt, out.array(), outAt, part);
    }
  }
}
