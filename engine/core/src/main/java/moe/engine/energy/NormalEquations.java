package moe.engine.energy;

import java.util.List;

/// Least squares over some of the three terms of a step's model, by elimination with pivots.
final class NormalEquations {
  private static final int TERMS = 3;
  private static final double SINGULAR = 1e-12;

  private final double[][] rows = new double[TERMS][TERMS + 1];
  private final int chosen;

  /// @param scale what terms are divided by
  /// @param chosen bit i for term i; the others are 0
  NormalEquations(List<StepModel.Sample> samples, double[] scale, int chosen) {
    this.chosen = chosen;
    for (StepModel.Sample sample : samples) {
      for (int i = 0; i < TERMS; i++) {
        double x = sample.term(i) / scale[i];
        for (int j = 0; j < TERMS; j++) {
          rows[i][j] += x * sample.term(j) / scale[j];
        }
        rows[i][TERMS] += x * sample.joules();
      }
    }
    for (int i = 0; i < TERMS; i++) {
      if (!isChosen(i)) {
        for (int j = 0; j < TERMS; j++) {
          rows[i][j] = 0;
          rows[j][i] = 0;
        }
        rows[i][i] = 1;
        rows[i][TERMS] = 0;
      }
    }
  }

  private boolean isChosen(int term) {
    return (chosen & (1 << term)) != 0;
  }

  /// The solution; NaN where terms cannot be told apart.
  double[] solve() {
    double[] solution = new double[TERMS];
    for (int column = 0; column < TERMS; column++) {
      int pivot = column;
      for (int row = column + 1; row < TERMS; row++) {
        pivot = Math.abs(rows[row][column]) > Math.abs(rows[pivot][column]) ? row : pivot;
      }
      double[] other = rows[pivot];
      rows[pivot] = rows[column];
      rows[column] = other;
      if (Math.abs(other[column]) < SINGULAR) {
        return new double[] {Double.NaN, Double.NaN, Double.NaN};
      }
      for (int row = column + 1; row < TERMS; row++) {
        double factor = rows[row][column] / other[column];
        for (int j = column; j <= TERMS; j++) {
          rows[row][j] -= factor * other[j];
        }
      }
    }
    for (int row = TERMS - 1; row >= 0; row--) {
      double rest = rows[row][TERMS];
      for (int j = row + 1; j < TERMS; j++) {
        rest -= rows[row][j] * solution[j];
      }
      solution[row] = rest / rows[row][row];
    }
    return solution;
  }
}
