package moe.backend.opencl.stage;

import static moe.backend.opencl.Close.assertClose;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import moe.backend.opencl.Devices;
import moe.backend.opencl.Workplace;
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
  void givesTheSameBitsAgain(Devices devices) {
    Map<String, double[]> expected = results(devices);
    results(devices)
        .forEach((name, result) -> assertThat(result).as(name).isEqualTo(expected.get(name)));
  }

  @Test
  void twinsAgree() {
    Map<String, double[]> expected = results(Devices.GPU);
    results(Devices.PROCESSOR)
        .forEach((name, result) ->
            assertClose(name, result, expected.getOrDefault(name, new double[0]), TWINS));
  }

  private static Map<String, double[]> results(Devices devices) {
    try (Workplace at = new Workplace(devices);
        Workload workload = new Workload(at)) {
      workload.run();
      return workload.results();
    }
  }
}
