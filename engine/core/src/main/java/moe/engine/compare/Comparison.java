package moe.engine.compare;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import moe.spi.error.ErrorKind;

/// The results of all arms, the first the one that others are compared with.
///
/// @param name of the pipeline
/// @param arms in the order of the file
public record Comparison(String name, List<ArmResult> arms) {
  public Comparison {
    arms = List.copyOf(arms);
  }

  /// Each other arm against the first, in order; empty where one of the two failed.
  public Optional<Versus> versus(ArmResult arm) {
    return arms.getFirst() instanceof ArmResult.Finished first
            && arm instanceof ArmResult.Finished finished
            && !finished.equals(first)
        ? Optional.of(Versus.of(first, finished))
        : Optional.empty();
  }

  /// Those that finished.
  List<ArmResult.Finished> finished() {
    List<ArmResult.Finished> finished = new ArrayList<>();
    for (ArmResult arm : arms) {
      if (arm instanceof ArmResult.Finished done) {
        finished.add(done);
      }
    }
    return finished;
  }

  /// What the first failure was, if one arm failed.
  public Optional<ErrorKind> failure() {
    return arms.stream()
        .filter(ArmResult.Failed.class::isInstance)
        .map(ArmResult.Failed.class::cast)
        .map(ArmResult.Failed::kind)
        .findFirst();
  }
}
