package moe.backend.cpu.stage;

import static moe.backend.cpu.Close.assertClose;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import moe.backend.cpu.Loops;
import moe.backend.cpu.Workplace;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// What holds for every operation and every stage.
class WorkloadTest {
  /// Two float32 computations in different orders, each near 1e-6, through up to four of them in a
  /// row.
  static final double TWINS = 1e-5;

  @ParameterizedTest
  @EnumSource
  void givesTheSameBitsOnAnyNumberOfThreadsAndAgain(Loops loops) {
    Map<String, double[]> expected = results(loops, 1);
    for (int threads = 1; threads <= 3; threads++) {
      Map<String, double[]> results = results(loops, threads);
      results.forEach((name, result) -> assertThat(result).as(name).isEqualTo(expected.get(name)));
    }
  }

  @Test
  void twinsAgree() {
    Map<String, double[]> expected = results(Loops.SCALAR, 2);
    results(Loops.VECTOR, 2)
        .forEach((name, result) ->
            assertClose(name, result, expected.getOrDefault(name, new double[0]), TWINS));
  }

  private static Map<String, double[]> results(Loops loops, int threads) {
    try (Workplace at = new Workplace(loops, threads);
        Workload workload = new Workload(at)) {
      workload.run();
      return workload.results();
    }
  }
}
