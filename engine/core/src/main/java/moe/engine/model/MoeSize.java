package moe.engine.model;

/// How many experts each layer has, and how many of them a token visits.
///
/// @param experts at least 1
/// @param topK 1 to `experts`
public record MoeSize(int experts, int topK) {
  public MoeSize {
    if (experts < 1) {
      throw new IllegalArgumentException("experts = %d: must be at least 1".formatted(experts));
    }
    if (topK < 1 || topK > experts) {
      throw new IllegalArgumentException(
          "topK = %d: must be between 1 and experts = %d".formatted(topK, experts));
    }
  }
}
