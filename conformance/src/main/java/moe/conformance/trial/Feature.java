package moe.conformance.trial;

import java.util.Comparator;
import java.util.Set;
import moe.spi.device.DType;

/// One line of a support matrix: what is computed, with weights of which type, in which direction.
///
/// @param name of the operation or stage, for example `linear` or `topk`
/// @param type storage of the weights; F32 for operations that have none
public record Feature(String name, DType type, Pass pass) implements Comparable<Feature> {
  private static final Comparator<Feature> ORDER =
      Comparator.comparing(Feature::name).thenComparing(Feature::type).thenComparing(Feature::pass);

  // Those of `streams` are there to be late.
  private static final Set<String> MULTIPLYING =
      Set.of(
          "linear",
          "attention",
          "attentionCached",
          "router",
          "experts",
          "fusion",
          "block",
          "streams");

  /// An operation on F32.
  public static Feature forward(String name) {
    return new Feature(name, DType.F32, Pass.FORWARD);
  }

  /// The gradient of an operation on F32.
  public static Feature backward(String name) {
    return new Feature(name, DType.F32, Pass.BACKWARD);
  }

  /// Whether it multiplies matrices, in the backend's format.
  boolean multiplies() {
    return MULTIPLYING.contains(name.split(" ", 2)[0]);
  }

  @Override
  public int compareTo(Feature other) {
    return ORDER.compare(this, other);
  }
}
