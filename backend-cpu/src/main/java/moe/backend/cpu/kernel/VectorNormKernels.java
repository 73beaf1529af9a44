package moe.backend.cpu.kernel;

import static moe.backend.cpu.kernel.Lanes.F32;
import static moe.backend.cpu.kernel.Lanes.FMA;

import jdk.incubator.vector.FloatVector;

/// Loops over vectors of floats; what is left over goes to the scalar twin or to a scalar tail.
final class VectorNormKernels implements NormKernels {
  private static final int LANES = Lanes.COUNT;

  private final ScalarNormKernels scalar = new ScalarNormKernels();

  @Override
  public float sum(float[] x, int xAt, int n) {
    FloatVector s0 = FloatVector.zero(F32);
    FloatVector s1 = s0;
    int i = 0;
    for (; i <= n - 2 * LANES; i += 2 * LANES) {
      s0 = s0.add(FloatVector.fromArray(F32, x, xAt + i));
      s1 = s1.add(FloatVector.fromArray(F32, x, xAt + i + LANES));
    }
    float sum = Lanes.sum(s0.add(s1));
    for (; i < n; i++) {
      sum += x[xAt + i];
    }
    return sum;
  }

  @Override
  public float squaredDeviations(float[] x, int xAt, float mean, int n) {
    FloatVector s0 = FloatVector.zero(F32);
    FloatVector s1 = s0;
    int i = 0;
    for (; i <= n - 2 * LANES; i += 2 * LANES) {
      FloatVector d0 = FloatVector.fromArray(F32, x, xAt + i).sub(mean);
      FloatVector d1 = FloatVector.fromArray(F32, x, xAt + i + LANES).sub(mean);
      s0 = FMA ? d0.fma(d0, s0) : d0.mul(d0).add(s0);
      s1 = FMA ? d1.fma(d1, s1) : d1.mul(d1).add(s1);
    }
    float sum = Lanes.sum(s0.add(s1));
    for (; i < n; i++) {
      float d = x[xAt + i] - mean;
      sum = d * d + sum;
    }
    return sum;
  }

  @Override
  public void normalise(
      float[] x,
      int xAt,
      float mean,
      float inverse,
      Floats gain,
      Floats bias,
      float[] y,
      int yAt,
      int n) {
    float[] gains = gain.array();
    int gainAt = gain.at();
    float[] biases = bias.array();
    int biasAt = bias.at();
    int i = 0;
    for (; i <= n - LANES; i += LANES) {
      FloatVector v = FloatVector.fromArray(F32, x, xAt + i).sub(mean).mul(inverse);
      FloatVector g = FloatVector.fromArray(F32, gains, gainAt + i);
      FloatVector b = FloatVector.fromArray(F32, biases, biasAt + i);
      v = FMA ? v.fma(g, b) : v.mul(g).add(b);
      v.intoArray(y, yAt + i);
    }
    for (; i < n; i++) {
      y[yAt + i] = (x[xAt + i] - mean) * inverse * gains[gainAt + i] + biases[biasAt + i];
    }
  }

  @Override
  public void backwardRow(
      float[] dY,
      int dYAt,
      float[] x,
      int xAt,
      float mean,
      float inverse,
      Floats gain,
      float[] dX,
      int dXAt,
      int n) {
    float[] gains = gain.array();
    int gainAt = gain.at();
    FloatVector sums = FloatVector.zero(F32);
    FloatVector dots = sums;
    int i = 0;
    for (; i <= n - LANES; i += LANES) {
      FloatVector g = FloatVector.fromArray(F32, dY, dYAt + i);
      g = g.mul(FloatVector.fromArray(F32, gains, gainAt + i));
      FloatVector normal = FloatVector.fromArray(F32, x, xAt + i).sub(mean).mul(inverse);
      sums = sums.add(g);
      dots = FMA ? g.fma(normal, dots) : g.mul(normal).add(dots);
    }
    float sum = Lanes.sum(sums);
    float dot = Lanes.sum(dots);
    for (; i < n; i++) {
      float g = dY[dYAt + i] * gains[gainAt + i];
      sum += g;
      dot += g * (x[xAt + i] - mean) * inverse;
    }
    float a = sum / n;
    float b = dot / n;
    for (i = 0; i <= n - LANES; i += LANES) {
      FloatVector g = FloatVector.fromArray(F32, dY, dYAt + i);
      g = g.mul(FloatVector.fromArray(F32, gains, gainAt + i)).sub(a);
      FloatVector normal = FloatVector.fromArray(F32, x, xAt + i).sub(mean).mul(inverse);
      FloatVector d = FloatVector.fromArray(F32, dX, dXAt + i);
      g.sub(normal.mul(b)).mul(inverse).add(d).intoArray(dX, dXAt + i);
    }
    for (; i < n; i++) {
      float g = dY[dYAt + i] * gains[gainAt + i];
      dX[dXAt + i] += inverse * (g - a - (x[xAt + i] - mean) * inverse * b);
    }
  }

  @Override
  public void backwardColumns(
      Floats dY,
      Floats x,
      Floats mean,
      Floats inverse,
      int rows,
      int width,
      int from,
      int to,
      Floats dGain,
      Floats dBias) {
    int column = from;
    for (; column <= to - LANES; column += LANES) {
      columns(dY, x, mean, inverse, rows, width, column, dGain, dBias);
    }
    if (column < to) {
      scalar.backwardColumns(dY, x, mean, inverse, rows, width, column, to, dGain, dBias);
    }
  }

  private static void columns(
      Floats dY,
      Floats x,
      Floats mean,
      Floats inverse,
      int rows,
      int width,
      int column,
      Floats dGain,
      Floats dBias) {
    float[] dYs = dY.array();
    float[] xs = x.array();
    float[] means = mean.array();
    float[] inverses = inverse.array();
    FloatVector gains = FloatVector.zero(F32);
    FloatVector biases = gains;
    int dYAt = dY.at() + column;
    int xAt = x.at() + column;
    for (int row = 0; row < rows; row++) {
      FloatVector d = FloatVector.fromArray(F32, dYs, dYAt + row * width);
      FloatVector normal = FloatVector.fromArray(F32, xs, xAt + row * width);
      normal = normal.sub(means[mean.at() + row]).mul(inverses[inverse.at() + row]);
      gains = FMA ? d.fma(normal, gains) : d.mul(normal).add(gains);
      biases = biases.add(d);
    }
    int gainAt = dGain.at() + column;
    int biasAt = dBias.at() + column;
    gains.add(FloatVector.fromArray(F32, dGain.array(), gainAt)).intoArray(dGain.array(), gainAt);
    biases.add(FloatVector.fromArray(F32, dBias.array(), biasAt)).intoArray(dBias.array(), biasAt);
  }
}
