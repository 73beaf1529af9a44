package moe.backend.tests;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Rows by assignment against plain loops.
public abstract class RowsContract implements Place {
  private static final int TOP_K = 3;

  @ParameterizedTest
  @CsvSource({
    "MAIN, 0, 5",
    "MAIN, 1, 5",
    "MAIN, 31, 64",
    "MAIN, 33, 130",
    "OTHER, 1, 5",
    "OTHER, 33, 130"
  })
  void gathersScattersAndDifferentiates(Way way, int tokens, int dModel) {
    try (Workplace at = open(way)) {
      // Every token once, in reverse, with changing k; the first token not at all.
      int n = Math.max(0, tokens - 1);
      int[] assignments = new int[n];
      for (int i = 0; i < n; i++) {
        assignments[i] = (tokens - 1 - i) * TOP_K + i % TOP_K;
      }
      var routed = at.ints(assignments);
      var x = at.random(tokens, dModel);
      var gathered = at.garbage(n, dModel);
      at.ops.gatherRows(x, routed, TOP_K, gathered, at.stream);
      var gates = at.random(tokens, TOP_K);
      var out = at.random(tokens, dModel);
      var plain = at.random(tokens, dModel);
      var dRows = at.garbage(n, dModel);
      var dGates = at.random(tokens, TOP_K);
      var dOut = at.random(tokens, dModel);
      double[] expectedOut = at.numbers(out);
      double[] expectedPlain = at.numbers(plain);
      double[] expectedGathered = new double[n * dModel];
      double[] expectedRows = new double[n * dModel];
      double[] expectedGates = at.numbers(dGates);
      double[] xs = at.numbers(x);
      double[] gs = at.numbers(gates);
      double[] ds = at.numbers(dOut);
      for (int i = 0; i < n; i++) {
        int a = assignments[i];
        expectedGates[a] = 0;
        for (int d = 0; d < dModel; d++) {
          double row = xs[a / TOP_K * dModel + d];
          double dToken = ds[a / TOP_K * dModel + d];
          expectedGathered[i * dModel + d] = row;
          expectedOut[a / TOP_K * dModel + d] += gs[a] * row;
          expectedPlain[a / TOP_K * dModel + d] += row;
          expectedRows[i * dModel + d] = gs[a] * dToken;
          expectedGates[a] += dToken * row;
        }
      }
      at.ops.scatterRows(gathered, routed, TOP_K, gates, out, at.stream);
      at.ops.scatterRows(gathered, routed, TOP_K, null, plain, at.stream);
      at.ops.scatterRowsBackward(dOut, gathered, routed, gates, dRows, dGates, at.stream);
      assertThat(at.numbers(gathered)).isEqualTo(expectedGathered);
      at.assertClose("out", out, expectedOut, Close.SUMS);
      at.assertClose("out without gates", plain, expectedPlain, Close.SUMS);
      at.assertClose("dRows", dRows, expectedRows, Close.SUMS);
      at.assertClose("dGates", dGates, expectedGates, Close.SUMS);
    }
  }
}
