package moe.engine.oracle;

/// Layer norm over the last dimension.
final class Norm {
  private final double[] gain;
  private final double[] bias;
  private final double[] dGain;
  private final double[] dBias;

  Norm(Weights weights, Weights gradients, String name) {
    gain = weights.get(name + ".weight");
    bias = weights.get(name + ".bias");
    dGain = gradients.get(name + ".weight");
    dBias = gradients.get(name + ".bias");
  }

  double[] forward(double[] x) {
    double[] y = new double[x.length];
    int width = gain.length;
    for (int at = 0; at < x.length; at += width) {
      double mean = mean(x, at);
      double scale = scale(x, at, mean);
      for (int i = 0; i < width; i++) {
        y[at + i] = (x[at + i] - mean) * scale * gain[i] + bias[i];
      }
    }
    return y;
  }

  /// Adds the gradient of `x` to `dX`.
  void backward(double[] dY, double[] x, double[] dX) {
    int width = gain.length;
    for (int at = 0; at < x.length; at += width) {
      double mean = mean(x, at);
      double scale = scale(x, at, mean);
      double sum = 0;
      double sumTimesHat = 0;
      for (int i = 0; i < width; i++) {
        double hat = (x[at + i] - mean) * scale;
        double dHat = dY[at + i] * gain[i];
        dGain[i] += dY[at + i] * hat;
        dBias[i] += dY[at + i];
        sum += dHat;
        sumTimesHat += dHat * hat;
      }
      for (int i = 0; i < width; i++) {
        double hat = (x[at + i] - mean) * scale;
        double dHat = dY[at + i] * gain[i];
        dX[at + i] += scale * (dHat - sum / width - hat * sumTimesHat / width);
      }
    }
  }

  private double mean(double[] x, int at) {
    double sum = 0;
    for (int i = 0; i < gain.length; i++) {
      sum += x[at + i];
    }
    return sum / gain.length;
  }

  private double scale(double[] x, int at, double mean) {
    double sum = 0;
    for (int i = 0; i < gain.length; i++) {
      sum += (x[at + i] - mean) * (x[at + i] - mean);
    }
    return 1 / Math.sqrt(sum / gain.length + OracleSize.EPSILON);
  }
}
