package moe.backend.opencl;

import moe.backend.opencl.kernel.ClKernel;
import moe.backend.opencl.kernel.Elementwise;
import moe.backend.opencl.kernel.Kernels;
import moe.backend.opencl.kernel.WorkQueue;
import moe.spi.device.Activation;
import moe.spi.device.AdamW;
import moe.spi.device.AdamWState;
import moe.spi.device.Tensor;

/// Operations on tensors of equal size.
final class ElementwiseOps {
  private static final Operation ACTIVATE = new Operation("activate");
  private static final Operation BACKWARD = new Operation("activateBackward");
  private static final Operation ADD = new Operation("add");
  private static final Operation MULTIPLY = new Operation("multiply");
  private static final Operation SCALE = new Operation("scale");
  private static final Operation STEP = new Operation("adamW");

  private final WorkQueue queue;
  private final Elementwise elementwise;
  private final ClKernel activate;
  private final ClKernel add;
  private final ClKernel scale;
  private final ClKernel adamW;

  ElementwiseOps(Kernels kernels, WorkQueue queue) {
    this.queue = queue;
    elementwise = new Elementwise(kernels);
    activate = kernels.kernel("elementwise", "activate");
    add = kernels.kernel("elementwise", "add");
    scale = kernels.kernel("elementwise", "scale");
    adamW = kernels.kernel("elementwise", "adamw");
  }

  void activate(Activation activation, Tensor x, Tensor y) {
    long n = x.shape().elements();
    activate
        .begin()
        .region(ACTIVATE.floats("x", x, n))
        .activation(activation)
        .region(ACTIVATE.floats("y", y, n))
        .size(n)
        .elements(queue, n);
  }

  void activateBackward(Activation activation, Tensor x, Tensor dY, Tensor dX) {
    long n = x.shape().elements();
    elementwise.activateBackward(
        activation,
        BACKWARD.floats("x", x, n),
        BACKWARD.floats("dY", dY, n),
        BACKWARD.floats("dX", dX, n),
        n,
        queue);
  }

  void add(Tensor a, Tensor b, Tensor out) {
    long n = a.shape().elements();
    add.begin()
        .region(ADD.floats("a", a, n))
        .region(ADD.floats("b", b, n))
        .region(ADD.floats("out", out, n))
        .size(n)
        .elements(queue, n);
  }

  void multiply(Tensor a, Tensor b, Tensor out) {
    long n = a.shape().elements();
    elementwise.multiply(
        MULTIPLY.floats("a", a, n),
        MULTIPLY.floats("b", b, n),
        MULTIPLY.floats("out", out, n),
        n,
        queue);
  }

  void scale(Tensor x, Tensor factor) {
    long n = x.shape().elements();
    scale
        .begin()
        .region(SCALE.floats("x", x, n))
        .region(SCALE.floats("factor", factor, 1))
        .size(n)
        .elements(queue, n);
  }

  void adamW(Tensor parameter, Tensor gradient, AdamWState state, AdamW settings, Tensor schedule) {
    long n = parameter.shape().elements();
    adamW
        .begin()
        .region(STEP.floats("parameter", parameter, n))
        .region(STEP.floats("gradient", gradient, n))
        .region(STEP.floats("first", state.first(), n))
        .region(STEP.floats("second", state.second(), n))
        .region(STEP.floats("schedule", schedule, 3))
        .number(settings.beta1())
        .number(settings.beta2())
        .number(settings.epsilon())
        .number(settings.weightDecay())
        .size(n)
        .elements(queue, n);
  }
}
