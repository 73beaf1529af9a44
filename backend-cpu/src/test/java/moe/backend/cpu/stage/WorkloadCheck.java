package moe.backend.cpu.stage;

import static java.util.Objects.requireNonNull;
import static moe.backend.cpu.Close.assertClose;

import java.util.Map;
import moe.backend.cpu.Loops;
import moe.backend.cpu.Workplace;
import moe.backend.cpu.kernel.InnerLoops;
import moe.backend.cpu.kernel.VectorModule;

/// Compares every operation on the loops that this JVM chooses with the scalar loops: the main of
/// the JVMs that `OtherMachinesTest` starts. Prints what it ran on; the exit code tells.
final class WorkloadCheck {
  private WorkloadCheck() {}

  public static void main(String[] arguments) {
    Map<String, double[]> expected = results(Loops.SCALAR);
    Map<String, double[]> actual = results(VectorModule.PRESENT ? Loops.VECTOR : Loops.SCALAR);
    actual.forEach((name, result) ->
        assertClose(name, result, requireNonNull(expected.get(name)), WorkloadTest.TWINS));
    System.out.println(actual.size() + " results on " + InnerLoops.describe());
  }

  private static Map<String, double[]> results(Loops loops) {
    try (Workplace at = new Workplace(loops);
        Workload workload = new Workload(at)) {
      workload.run();
      return workload.results();
    }
  }
}
