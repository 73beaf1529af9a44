package moe.backend.opencl.kernel;

import moe.spi.device.Activation;

/// The operations of `elementwise.cl` that stages use too. Confined to one thread.
public final class Elementwise {
  private final ClKernel multiply;
  private final ClKernel activateBackward;

  public Elementwise(Kernels kernels) {
    multiply = kernels.kernel("elementwise", "multiply");
    activateBackward = kernels.kernel("elementwise", "activate_backward");
  }

  /// `out = a ∘ b` over `n` elements; `out` may be `a` or `b`.
  public void multiply(Region a, Region b, Region out, long n, WorkQueue queue) {
    multiply.begin().region(a).region(b).region(out).size(n).elements(queue, n);
  }

  /// `dX = dY · activation′(x)` over `n` elements; `dX` may be `dY`.
  public void activateBackward(
      Activation activation, Region x, Region dY, Region dX, long n, WorkQueue queue) {
    activateBackward
        .begin()
        .region(x)
        .region(dY)
        .activation(activation)
        .region(dX)
        .size(n)
        .elements(queue, n);
  }
}
