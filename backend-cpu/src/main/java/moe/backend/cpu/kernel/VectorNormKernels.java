package moe.backend.cpu.kernel;

import static moe.backend.cpu.kernel.Lanes.F32;
import static moe.backend.cpu.kernel.Lanes.multiplyAdd;

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
      s0 = s0.add(at(x, xAt + i));
      s1 = s1.add(at(x, xAt + i + LANES));
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
      FloatVector d0 = at(x, xAt + i).sub(mean);
      FloatVector d1 = at(x, xAt + i + LANES).sub(mean);
      s0 = multiplyAdd(d0, d0, s0);
      s1 = multiplyAdd(d1, d1, s1);
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
      multiplyAdd(
              at(x, xAt + i).sub(mean).mul(inverse), at(gains, gainAt + i), at(biases, biasAt + i))
          .intoArray(y, yAt + i);
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
      FloatVector g = at(dY, dYAt + i).mul(at(gains, gainAt + i));
      sums = sums.add(g);
      dots = multiplyAdd(g, at(x, xAt + i).sub(mean).mul(inverse), dots);
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
      FloatVector g = at(dY, dYAt + i).mul(at(gains, gainAt + i)).sub(a);
      FloatVector normal = at(x, xAt + i).sub(mean).mul(inverse);
      g.sub(normal.mul(b)).mul(inverse).add(at(dX, dXAt + i)).intoArray(dX, dXAt + i);
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
      FloatVector d = at(dYs, dYAt + row * width);
      FloatVector normal =
          at(xs, xAt + row * width).sub(means[mean.at() + row]).mul(inverses[inverse.at() + row]);
      gains = multiplyAdd(d, normal, gains);
      biases = biases.add(d);
    }
    int gainAt = dGain.at() + column;
    int biasAt = dBias.at() + column;
    gains.add(at(dGain.array(), gainAt)).intoArray(dGain.array(), gainAt);
    biases.add(at(dBias.array(), biasAt)).intoArray(dBias.array(), biasAt);
  }

  private static FloatVector at(float[] x, int index) {
    return FloatVector.fromArray(F32, x, index);
  }
}
