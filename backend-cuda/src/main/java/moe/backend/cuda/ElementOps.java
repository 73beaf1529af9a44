package moe.backend.cuda;

import moe.spi.device.Activation;
import moe.spi.device.AdamW;
import moe.spi.device.AdamWState;
import moe.spi.device.Tensor;

/// Operations on each element alone, and the sum of their squares.
final class ElementOps {
  private static final Operation ACTIVATE = new Operation("activate");
  private static final Operation ACTIVATE_BACKWARD = new Operation("activateBackward");
  private static final Operation ADD = new Operation("add");
  private static final Operation MULTIPLY = new Operation("multiply");
  private static final Operation SCALE = new Operation("scale");
  private static final Operation SUM_OF_SQUARES = new Operation("sumOfSquares");
  private static final Operation ADAM_W = new Operation("adamW");
  private static final Kernel ACTIVATE_EACH = new Kernel("elementwise", "moe_activate");
  private static final Kernel ACTIVATE_BACK = new Kernel("elementwise", "moe_activate_back");
  private static final Kernel ADD_EACH = new Kernel("elementwise", "moe_add");
  private static final Kernel MULTIPLY_EACH = new Kernel("elementwise", "moe_multiply");
  private static final Kernel SCALE_EACH = new Kernel("elementwise", "moe_scale");
  private static final Kernel SUM_PARTS = new Kernel("sum_of_squares", "moe_sum_of_squares");
  private static final Kernel SUM_OF_PARTS = new Kernel("sum_of_squares", "moe_sum_of_parts");
  private static final Kernel ADAM_W_EACH = new Kernel("adamw", "moe_adamw");
  private static final int MOST_PARTS = 1024;

  private ElementOps() {}

  static void activate(CudaStream stream, Activation activation, Tensor x, Tensor y) {
    long n = x.shape().elements();
    ACTIVATE.floats("x", x, n);
    ACTIVATE.floats("y", y, n);
    stream.each(ACTIVATE_EACH, n).tensor(x).tensor(y).wide(n).activation(activation).run();
  }

  /// The same of the first n elements; checks nothing.
  static void activateFirst(CudaStream stream, Activation activation, Tensor x, Tensor y, long n) {
    stream.each(ACTIVATE_EACH, n).reads(x).tensor(y).wide(n).activation(activation).run();
  }

  static void activateBackward(
      CudaStream stream, Activation activation, Tensor x, Tensor dY, Tensor dX) {
    long n = x.shape().elements();
    ACTIVATE_BACKWARD.floats("x", x, n);
    ACTIVATE_BACKWARD.floats("dY", dY, n);
    ACTIVATE_BACKWARD.floats("dX", dX, n);
    stream
        .each(ACTIVATE_BACK, n)
        .tensor(x)
        .tensor(dY)
        .tensor(dX)
        .wide(n)
        .activation(activation)
        .run();
  }

  static void add(CudaStream stream, Tensor a, Tensor b, Tensor out) {
    pairs(stream, ADD, ADD_EACH, a, b, out);
  }

  static void multiply(CudaStream stream, Tensor a, Tensor b, Tensor out) {
    pairs(stream, MULTIPLY, MULTIPLY_EACH, a, b, out);
  }

  private static void pairs(
      CudaStream stream, Operation operation, Kernel kernel, Tensor a, Tensor b, Tensor out) {
    long n = a.shape().elements();
    operation.floats("a", a, n);
    operation.floats("b", b, n);
    operation.floats("out", out, n);
    Launch launch = stream.each(kernel, n).reads(a).reads(b).tensor(out).wide(n);
    (kernel.equals(ADD_EACH) ? launch.dependent() : launch).run();
  }

  static void scale(CudaStream stream, Tensor x, Tensor factor) {
    long n = x.shape().elements();
    SCALE.floats("x", x, n);
    SCALE.floats("factor", factor, 1);
    stream.each(SCALE_EACH, n).tensor(x).tensor(factor).wide(n).run();
  }

  static void sumOfSquares(CudaStream stream, Tensor x, Tensor out) {
    long n = x.shape().elements();
    SUM_OF_SQUARES.floats("x", x, n);
    SUM_OF_SQUARES.floats("out", out, 1);
    int parts = (int) Math.min(Math.ceilDiv(n, 1024), MOST_PARTS);
    stream.launch(SUM_PARTS, 256, parts, 1, 1).tensor(x).address(stream.scratch()).wide(n).run();
    stream
        .launch(SUM_OF_PARTS, 1024, 1, 1, 1)
        .address(stream.scratch())
        .tensor(out)
        .number(parts)
        .run();
  }

  static void adamW(
      CudaStream stream,
      Tensor parameter,
      Tensor gradient,
      AdamWState state,
      AdamW settings,
      Tensor schedule) {
    long n = parameter.shape().elements();
    ADAM_W.floats("parameter", parameter, n);
    ADAM_W.floats("gradient", gradient, n);
    ADAM_W.floats("first", state.first(), n);
    ADAM_W.floats("second", state.second(), n);
    ADAM_W.floats("schedule", schedule, 3);
    // The rounded copy is written in the same pass, so it is never old in a captured step.
    long half = Halves.writable(stream, CudaTensor.of(parameter));
    stream
        .each(ADAM_W_EACH, n)
        .reads(parameter)
        .tensor(gradient)
        .tensor(state.first())
        .tensor(state.second())
        .address(half)
        .tensor(schedule)
        .wide(n)
        .real(settings.beta1())
        .real(settings.beta2())
        .real(settings.epsilon())
        .real(settings.weightDecay())
        .run();
    Halves.follow(stream, CudaTensor.of(parameter));
    stream.wroteWeights();
  }
}
