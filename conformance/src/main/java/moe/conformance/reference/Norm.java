package moe.conformance.reference;

/// Layer norm over rows of `width` elements, and its gradient.
public final class Norm {
  private final double[] x;
  private final double[] gain;
  private final int rows;
  private final int width;
  private final double[] mean;
  private final double[] meanSize;
  private final double[] inverse;

  public Norm(double[] x, double[] gain, double epsilon, int rows) {
    this.x = x;
    this.gain = gain;
    this.rows = rows;
    this.width = gain.length;
    this.mean = new double[rows];
    this.meanSize = new double[rows];
    this.inverse = new double[rows];
    for (int r = 0; r < rows; r++) {
      for (int i = 0; i < width; i++) {
        mean[r] += x[r * width + i] / width;
        meanSize[r] += Math.abs(x[r * width + i]) / width;
      }
      double variance = 0;
      for (int i = 0; i < width; i++) {
        double d = x[r * width + i] - mean[r];
        variance += d * d / width;
      }
      inverse[r] = 1 / Math.sqrt(variance + epsilon);
    }
  }

  public Bounded mean() {
    return new Bounded(mean.clone(), meanSize.clone());
  }

  /// `1/√(variance + ε)`; the differences from the mean have the errors of their terms.
  public Bounded inverseDeviation() {
    Sums sums = new Sums(rows);
    for (int r = 0; r < rows; r++) {
      sums.add(r, inverse[r], inverse[r] * (1 + meanSize[r] * inverse[r]));
    }
    return sums.bounded();
  }

  /// `(x − mean)·inverse·gain + bias`.
  public Bounded forward(double[] bias) {
    Sums y = new Sums(rows * width);
    for (int i = 0; i < rows * width; i++) {
      int column = i % width;
      y.add(i, normal(i) * gain[column], size(i) * Math.abs(gain[column]));
      y.add(i, bias[column]);
    }
    return y.bounded();
  }

  /// The gradient of `x`.
  public Bounded input(double[] dY) {
    Sums dX = new Sums(rows * width);
    for (int r = 0; r < rows; r++) {
      double sum = 0;
      double sumSize = 0;
      double product = 0;
      double productSize = 0;
      for (int i = r * width; i < (r + 1) * width; i++) {
        double d = dY[i] * gain[i % width];
        sum += d / width;
        sumSize += Math.abs(d) / width;
        product += d * normal(i) / width;
        productSize += Math.abs(d) * size(i) / width;
      }
      for (int i = r * width; i < (r + 1) * width; i++) {
        double d = dY[i] * gain[i % width];
        dX.add(i, inverse[r] * d, inverse[r] * Math.abs(d) * (1 + meanSize[r] * inverse[r]));
        dX.add(i, -inverse[r] * sum, inverse[r] * sumSize);
        dX.add(i, -inverse[r] * normal(i) * product, inverse[r] * size(i) * productSize);
      }
    }
    return dX.bounded();
  }

  /// The gradient of the gain.
  public Bounded gain(double[] dY) {
    Sums dGain = new Sums(width);
    for (int i = 0; i < rows * width; i++) {
      dGain.add(i % width, dY[i] * normal(i), Math.abs(dY[i]) * size(i));
    }
    return dGain.bounded();
  }

  private double normal(int i) {
    int r = i / width;
    return (x[i] - mean[r]) * inverse[r];
  }

  private double size(int i) {
    int r = i / width;
    return (Math.abs(x[i]) + meanSize[r]) * inverse[r] * (1 + meanSize[r] * inverse[r]);
  }
}
