package moe.backend.cpu.kernel;

/// Plain loops, for Java without the vector module.
final class ScalarNormKernels implements NormKernels {
  @Override
  public float sum(float[] x, int xAt, int n) {
    float sum = 0;
    for (int i = 0; i < n; i++) {
      sum += x[xAt + i];
    }
    return sum;
  }

  @Override
  public float squaredDeviations(float[] x, int xAt, float mean, int n) {
    float sum = 0;
    for (int i = 0; i < n; i++) {
      float d = x[xAt + i] - mean;
      sum += d * d;
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
    for (int i = 0; i < n; i++) {
      float normal = (x[xAt + i] - mean) * inverse;
      y[yAt + i] = normal * gain.array()[gain.at() + i] + bias.array()[bias.at() + i];
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
    float sum = 0;
    float dot = 0;
    for (int i = 0; i < n; i++) {
      float g = dY[dYAt + i] * gains[gain.at() + i];
      sum += g;
      dot += g * (x[xAt + i] - mean) * inverse;
    }
    float a = sum / n;
    float b = dot / n;
    for (int i = 0; i < n; i++) {
      float g = dY[dYAt + i] * gains[gain.at() + i];
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
    for (int column = from; column < to; column++) {
      float gainSum = 0;
      float biasSum = 0;
      for (int row = 0; row < rows; row++) {
        float d = dY.array()[dY.at() + row * width + column];
        float normal =
            (x.array()[x.at() + row * width + column] - mean.array()[mean.at() + row])
                * inverse.array()[inverse.at() + row];
        gainSum += d * normal;
        biasSum += d;
      }
      dGain.array()[dGain.at() + column] += gainSum;
      dBias.array()[dBias.at() + column] += biasSum;
    }
  }
}
