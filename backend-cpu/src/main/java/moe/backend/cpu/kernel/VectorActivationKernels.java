package moe.backend.cpu.kernel;

import static moe.backend.cpu.kernel.Lanes.COUNT;
import static moe.backend.cpu.kernel.Lanes.F32;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import moe.spi.device.Activation;

/// Activations on vectors, what is left over at the end by the scalar twin.
final class VectorActivationKernels implements ActivationKernels {
  private final ScalarActivationKernels scalar = new ScalarActivationKernels();

  @Override
  public void activate(
      Activation activation, float[] x, int xOffset, float[] y, int yOffset, int n) {
    int whole = activation == Activation.NONE ? n : F32.loopBound(n);
    switch (activation) {
      case NONE -> System.arraycopy(x, xOffset, y, yOffset, n);
      case GELU -> VectorGate.forward(Gate.GELU, x, xOffset, y, yOffset, whole);
      case SILU -> VectorGate.forward(Gate.SILU, x, xOffset, y, yOffset, whole);
      case RELU -> relu(x, xOffset, y, yOffset, whole);
    }
    if (whole < n) {
      scalar.activate(activation, x, xOffset + whole, y, yOffset + whole, n - whole);
    }
  }

  @Override
  public void activateBackward(
      Activation activation,
      float[] x,
      int xOffset,
      float[] d,
      int dOffset,
      float[] y,
      int yOffset,
      int n) {
    int whole = activation == Activation.NONE ? n : F32.loopBound(n);
    switch (activation) {
      case NONE -> System.arraycopy(d, dOffset, y, yOffset, n);
      case GELU -> VectorGate.backward(Gate.GELU, x, xOffset, d, dOffset, y, yOffset, whole);
      case SILU -> VectorGate.backward(Gate.SILU, x, xOffset, d, dOffset, y, yOffset, whole);
      case RELU -> reluBackward(x, xOffset, d, dOffset, y, yOffset, whole);
    }
    if (whole < n) {
      int at = xOffset + whole;
      scalar.activateBackward(activation, x, at, d, dOffset + whole, y, yOffset + whole, n - whole);
    }
  }

  @Override
  public void add(float[] x, int xOffset, float[] y, int yOffset, int n) {
    int i = 0;
    for (; i < F32.loopBound(n); i += COUNT) {
      FloatVector sum = FloatVector.fromArray(F32, y, yOffset + i);
      FloatVector.fromArray(F32, x, xOffset + i).add(sum).intoArray(y, yOffset + i);
    }
    scalar.add(x, xOffset + i, y, yOffset + i, n - i);
  }

  @Override
  public void scale(float factor, float[] x, int xOffset, float[] y, int yOffset, int n) {
    int i = 0;
    for (; i < F32.loopBound(n); i += COUNT) {
      FloatVector.fromArray(F32, x, xOffset + i).mul(factor).intoArray(y, yOffset + i);
    }
    scalar.scale(factor, x, xOffset + i, y, yOffset + i, n - i);
  }

  @Override
  public float sum(float[] x, int xOffset, int n) {
    FloatVector sum = FloatVector.zero(F32);
    int i = 0;
    for (; i < F32.loopBound(n); i += COUNT) {
      sum = sum.add(FloatVector.fromArray(F32, x, xOffset + i));
    }
    return Lanes.sum(sum) + scalar.sum(x, xOffset + i, n - i);
  }

  private static void relu(float[] x, int xOffset, float[] y, int yOffset, int n) {
    for (int i = 0; i < n; i += COUNT) {
      FloatVector v = FloatVector.fromArray(F32, x, xOffset + i);
      v.blend(0f, v.compare(VectorOperators.LT, 0f)).intoArray(y, yOffset + i);
    }
  }

  private static void reluBackward(
      float[] x, int xOffset, float[] d, int dOffset, float[] y, int yOffset, int n) {
    for (int i = 0; i < n; i += COUNT) {
      FloatVector v = FloatVector.fromArray(F32, x, xOffset + i);
      FloatVector slope =
          v.blend(1f, v.compare(VectorOperators.GT, 0f))
              .blend(0f, v.compare(VectorOperators.LE, 0f));
      FloatVector.fromArray(F32, d, dOffset + i).mul(slope).intoArray(y, yOffset + i);
    }
  }
}
