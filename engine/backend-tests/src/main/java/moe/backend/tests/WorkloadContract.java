package moe.backend.tests;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// What holds for every operation and every stage.
public abstract class WorkloadContract implements Place {
  /// Two float32 computations in different orders, each near 1e-6, through up to four of them in a
  /// row.
  public static final double TWINS = 1e-5;

  @ParameterizedTest
  @EnumSource
  void givesTheSameBitsAgain(Way way) {
    assertSameBits(results(open(way)), results(open(way)));
  }

  @Test
  void twinsAgree() {
    Map<String, double[]> expected = results(open(Way.OTHER));
    results(open(Way.MAIN))
        .forEach((name, result) ->
            Close.assertClose(name, result, expected.getOrDefault(name, new double[0]), TWINS));
  }

  /// Everything once.
  ///
  /// @param place closed at the end
  public static Map<String, double[]> results(Workplace place) {
    try (place;
        Workload workload = new Workload(place)) {
      workload.run();
      return workload.results();
    }
  }

  /// NaN equals NaN.
  protected static void assertSameBits(
      Map<String, double[]> actual, Map<String, double[]> expected) {
    assertThat(actual.keySet()).isEqualTo(expected.keySet());
    actual.forEach((name, result) -> assertThat(result).as(name).isEqualTo(expected.get(name)));
  }
}
