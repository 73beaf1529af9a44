package moe.backend.cpu.stage;

import static java.util.Objects.requireNonNull;

import java.util.Map;
import moe.backend.cpu.CpuPlace;
import moe.backend.cpu.Loops;
import moe.backend.cpu.kernel.InnerLoops;
import moe.backend.cpu.kernel.VectorModule;
import moe.backend.tests.Close;
import moe.backend.tests.WorkloadContract;

/// Compares every operation on the loops that this JVM chooses with the scalar loops: the main of
/// the JVMs that `OtherMachinesTest` starts. Prints what it ran on; the exit code tells.
final class WorkloadCheck {
  private WorkloadCheck() {}

  public static void main(String[] arguments) {
    Map<String, double[]> expected = results(Loops.SCALAR);
    Map<String, double[]> actual = results(VectorModule.PRESENT ? Loops.VECTOR : Loops.SCALAR);
    actual.forEach((name, result) ->
        Close.assertClose(
            name, result, requireNonNull(expected.get(name)), WorkloadContract.TWINS));
    System.out.println(actual.size() + " results on " + InnerLoops.describe());
  }

  private static Map<String, double[]> results(Loops loops) {
    return WorkloadContract.results(CpuPlace.open(loops, 2));
  }
}
