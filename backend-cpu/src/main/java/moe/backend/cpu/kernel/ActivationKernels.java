package moe.backend.cpu.kernel;

import moe.spi.device.Activation;
import org.jspecify.annotations.Nullable;

/// Element-wise work on stretches of rows around an activation, once with vectors and once without.
interface ActivationKernels {
  /// `y[i] = activation(x[i])` for `n` elements; `y` may be `x`.
  void activate(Activation activation, float[] x, int xOffset, float[] y, int yOffset, int n);

  /// `y[i] = d[i] · activation′(x[i])` for `n` elements; `y` may be `d`.
  void activateBackward(
      Activation activation,
      float[] x,
      int xOffset,
      float[] d,
      int dOffset,
      float[] y,
      int yOffset,
      int n);

  /// `y[i] += x[i]` for `n` elements.
  void add(float[] x, int xOffset, float[] y, int yOffset, int n);

  /// `y[i] = factor · x[i]` for `n` elements.
  void scale(float factor, float[] x, int xOffset, float[] y, int yOffset, int n);

  /// The sum of `n` elements.
  float sum(float[] x, int xOffset, int n);

  /// `y[i] += bias[i]`, and nothing where there is no bias.
  default void addBias(float @Nullable [] bias, int biasOffset, float[] y, int yOffset, int n) {
    if (bias != null) {
      add(bias, biasOffset, y, yOffset, n);
    }
  }
}
