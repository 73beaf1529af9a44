package moe.backend.cpu.stage;

import java.util.Map;
import moe.backend.cpu.CpuPlace;
import moe.backend.cpu.Loops;
import moe.backend.tests.WorkloadContract;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// What holds for every operation and every stage.
class WorkloadTest extends WorkloadContract implements CpuPlace {
  @ParameterizedTest
  @EnumSource
  void givesTheSameBitsOnAnyNumberOfThreads(Loops loops) {
    Map<String, double[]> one = results(CpuPlace.open(loops, 1));
    for (int threads = 2; threads <= 3; threads++) {
      assertSameBits(results(CpuPlace.open(loops, threads)), one);
    }
  }
}
