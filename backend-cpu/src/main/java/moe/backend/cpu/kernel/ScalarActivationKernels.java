package moe.backend.cpu.kernel;

import moe.spi.device.Activation;

/// The scalar twin of `VectorActivationKernels`.
final class ScalarActivationKernels implements ActivationKernels {
  @Override
  public void activate(
      Activation activation, float[] x, int xOffset, float[] y, int yOffset, int n) {
    for (int i = 0; i < n; i++) {
      float v = x[xOffset + i];
      y[yOffset + i] =
          switch (activation) {
            case NONE -> v;
            case GELU -> Gate.GELU.forward(v);
            case SILU -> Gate.SILU.forward(v);
            case RELU -> v < 0 ? 0 : v;
          };
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
    for (int i = 0; i < n; i++) {
      float v = x[xOffset + i];
      float derivative =
          switch (activation) {
            case NONE -> 1;
            case GELU -> Gate.GELU.derivative(v);
            case SILU -> Gate.SILU.derivative(v);
            case RELU -> v > 0 ? 1 : v <= 0 ? 0 : v;
          };
      y[yOffset + i] = d[dOffset + i] * derivative;
    }
  }

  @Override
  public void add(float[] x, int xOffset, float[] y, int yOffset, int n) {
    for (int i = 0; i < n; i++) {
      y[yOffset + i] += x[xOffset + i];
    }
  }

  @Override
  public void scale(float factor, float[] x, int xOffset, float[] y, int yOffset, int n) {
    for (int i = 0; i < n; i++) {
      y[yOffset + i] = factor * x[xOffset + i];
    }
  }

  @Override
  public float sum(float[] x, int xOffset, int n) {
    float sum = 0;
    for (int i = 0; i < n; i++) {
      sum += x[xOffset + i];
    }
    return sum;
  }
}
