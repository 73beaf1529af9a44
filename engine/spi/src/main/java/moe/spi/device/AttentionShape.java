package moe.spi.device;

/// The extents of a causal self-attention. Rows are ordered by batch, then position.
///
/// @param batch sequences
/// @param seqLength positions of each sequence in this call
/// @param heads attention heads
/// @param headSize elements of one head; `dModel = heads · headSize`
public record AttentionShape(int batch, int seqLength, int heads, int headSize) {
  public AttentionShape {
    if (batch < 0 || seqLength < 0 || heads < 1 || headSize < 1) {
      throw new IllegalArgumentException(
          "attention needs batch, seqLength >= 0 and heads, headSize >= 1, not "
              + "%d, %d, %d, %d".formatted(batch, seqLength, heads, headSize));
    }
  }

  /// `batch · seqLength`.
  public int tokens() {
    return Math.multiplyExact(batch, seqLength);
  }

  /// `heads · headSize`.
  public int dModel() {
    return Math.multiplyExact(heads, headSize);
  }
}
