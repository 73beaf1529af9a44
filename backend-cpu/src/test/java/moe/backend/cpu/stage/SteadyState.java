package moe.backend.cpu.stage;

import java.util.List;
import moe.backend.cpu.CpuPlace;
import moe.backend.cpu.Loops;
import moe.backend.cpu.kernel.AllocatedBytes;
import moe.backend.tests.Workload;
import moe.backend.tests.Workplace;

/// A program that says which operations of the workload still allocate once they are compiled, by
/// their place in it; run by `SteadyStateTest` in a JVM of its own.
///
/// In a JVM that ran other tests before, C2 has seen other callers and may leave a call in a loop,
/// and a vector that passes a call is an object. A user's JVM runs one backend, as this one does.
final class SteadyState {
  private static final int THREADS = 2;
  private static final int TIMES = 200;

  public static void main(String[] args) {
    int guilty = 0;
    try (Workplace at = CpuPlace.open(Loops.VECTOR, THREADS);
        Workload workload = new Workload(at)) {
      AllocatedBytes allocated = new AllocatedBytes();
      List<Runnable> steps = workload.steps();
      // One by one: those that are slow until C2 has compiled them do not hold up the others.
      for (int i = 0; i < steps.size(); i++) {
        long bytes = allocated.duringSteadyState(TIMES, steps.get(i));
        if (bytes > 0) {
          System.out.println("operation " + i + ": " + bytes + " bytes in " + TIMES + " calls");
          guilty++;
        }
      }
      System.out.println(steps.size() + " operations");
    }
    System.exit(guilty == 0 ? 0 : 1);
  }

  private SteadyState() {}
}
