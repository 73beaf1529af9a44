package moe.backend.cpu;

import moe.backend.cpu.kernel.CpuThreads;
import moe.backend.cpu.kernel.Elementwise;
import moe.backend.cpu.kernel.Floats;
import moe.backend.cpu.kernel.InnerLoops;
import moe.backend.cpu.kernel.SumOfSquares;
import moe.spi.device.Activation;
import moe.spi.device.Tensor;

/// Operations on tensors of equal size.
final class ElementwiseOps {
  private static final Operation ACTIVATE = new Operation("activate");
  private static final Operation BACKWARD = new Operation("activateBackward");
  private static final Operation ADD = new Operation("add");
  private static final Operation MULTIPLY = new Operation("multiply");

  private static final Operation SQUARES = new Operation("sumOfSquares");
  private static final Operation SCALE = new Operation("scale");

  private final Elementwise kernel;
  private final SumOfSquares squares;

  ElementwiseOps(CpuThreads threads, InnerLoops loops) {
    kernel = new Elementwise(threads, loops);
    squares = new SumOfSquares(threads, loops);
  }

  void activate(Activation activation, Tensor x, Tensor y) {
    long n = x.shape().elements();
    Floats from = ACTIVATE.floats("x", x, n);
    kernel.activate(activation, from, ACTIVATE.floats("y", y, n), (int) n);
  }

  void activateBackward(Activation activation, Tensor x, Tensor dY, Tensor dX) {
    long n = x.shape().elements();
    Floats from = BACKWARD.floats("x", x, n);
    Floats dFrom = BACKWARD.floats("dY", dY, n);
    kernel.activateBackward(activation, from, dFrom, BACKWARD.floats("dX", dX, n), (int) n);
  }

  void add(Tensor a, Tensor b, Tensor out) {
    long n = a.shape().elements();
    Floats first = ADD.floats("a", a, n);
    kernel.add(first, ADD.floats("b", b, n), ADD.floats("out", out, n), (int) n);
  }

  void multiply(Tensor a, Tensor b, Tensor out) {
    long n = a.shape().elements();
    Floats first = MULTIPLY.floats("a", a, n);
    kernel.multiply(first, MULTIPLY.floats("b", b, n), MULTIPLY.floats("out", out, n), (int) n);
  }

  void sumOfSquares(Tensor x, Tensor out) {
    long n = x.shape().elements();
    Floats sum = SQUARES.floats("out", out, 1);
    sum.array()[sum.at()] = (float) squares.of(SQUARES.floats("x", x, n), (int) n);
  }

  void scale(Tensor x, Tensor factor) {
    long n = x.shape().elements();
    kernel.scale(SCALE.floats("factor", factor, 1).get(0), SCALE.floats("x", x, n), (int) n);
  }
}
