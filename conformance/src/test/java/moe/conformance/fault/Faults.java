package moe.conformance.fault;

import java.util.List;
import java.util.stream.Stream;

/// All broken backends.
final class Faults {
  private Faults() {}

  static List<Broken> all() {
    return Stream.of(
            BackendFaults.all(),
            MemoryFaults.all(),
            LaterFaults.all(),
            DenseFaults.all(),
            SpecialFaults.all(),
            StageFaults.all(),
            EnergyFaults.all(),
            ExpertFaults.all(),
            GradientFaults.all(),
            ErrorFaults.all())
        .flatMap(List::stream)
        .toList();
  }
}
