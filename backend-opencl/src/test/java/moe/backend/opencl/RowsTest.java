package moe.backend.opencl;

import static moe.backend.opencl.Close.assertClose;
import static moe.backend.opencl.Workplace.numbers;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Rows by assignment against plain loops.
class RowsTest {
  private static final int TOP_K = 3;

  @ParameterizedTest
  @CsvSource({
    "PROCESSOR, 0, 5",
    "PROCESSOR, 1, 5",
    "PROCESSOR, 31, 64",
    "PROCESSOR, 33, 130",
    "GPU, 1, 5",
    "GPU, 33, 130"
  })
  void gathersScattersAndDifferentiates(Devices devices, int tokens, int dModel) {
    try (Workplace at = new Workplace(devices)) {
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
      double[] expectedOut = numbers(out);
      double[] expectedPlain = numbers(plain);
      double[] expectedGathered = new double[n * dModel];
      double[] expectedRows = new double[n * dModel];
      double[] expectedGates = numbers(dGates);
      double[] xs = numbers(x);
      double[] gs = numbers(gates);
      double[] ds = numbers(dOut);
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
      assertThat(numbers(gathered)).isEqualTo(expectedGathered);
      assertClose("out", out, expectedOut, Close.SUMS);
      assertClose("out without gates", plain, expectedPlain, Close.SUMS);
      assertClose("dRows", dRows, expectedRows, Close.SUMS);
      assertClose("dGates", dGates, expectedGates, Close.SUMS);
    }
  }
}
