package moe.conformance.trial;

import java.util.Comparator;
import moe.spi.device.DType;

/// One line of a support matrix: what is computed, with weights of which type, in which direction.
///
/// @param name of the operation or stage, for example `linear` or `topk`
/// @param type storage of the weights; F32 for operations that have none
public record Feature(String name, DType type, Pass pass) implements Comparable<Feature> {
  private static final Comparator<Feature> ORDER =
      Comparator.comparing(Feature::name).thenComparing(Feature::type).thenComparing(Feature::pass);

  /// An operation on F32.
  public static Feature forward(String name) {
    return new Feature(name, DType.F32, Pass.FORWARD);
  }

  /// The gradient of an operation on F32.
  public static Feature backward(String name) {
    return new Feature(name, DType.F32, Pass.BACKWARD);
  }

  @Override
  public int compareTo(Feature other) {
    return ORDER.compare(this, other);
  }
}
