package moe.engine.text;

/// Windows of a text, `[batch, seqLength]` token ids at a time.
///
/// The targets of a window are its own next tokens, so its last token is target only; that is what
/// `Gpt2Pass.load(ids, 0)` takes, and how `labels = input_ids` counts in Hugging Face's models.
/// Windows may cross an end of text.
///
/// A batch is a function of its number alone: the number is all that a checkpoint must keep.
public sealed interface Batches permits RandomWindows, SpreadWindows {
  /// Windows at random places, batch after batch without an end: for training.
  ///
  /// @param seed equal seeds give equal batches
  /// @throws moe.spi.error.MoeException kind `DATA` if the text is shorter than `seqLength`
  static Batches random(TokenSpan text, int batch, int seqLength, long seed) {
    return new RandomWindows(text, batch, seqLength, seed);
  }

  /// The same windows each time, spread evenly over the text: for evaluation.
  ///
  /// @param most the most batches; there are fewer where the text has no room for more
  /// @throws moe.spi.error.MoeException kind `DATA` if the text is shorter than `seqLength`
  static SpreadWindows spread(TokenSpan text, int batch, int seqLength, int most) {
    return new SpreadWindows(text, batch, seqLength, most);
  }

  /// Writes one batch. Allocates nothing.
  ///
  /// @param number of the batch, from 0 on
  /// @param ids `[batch, seqLength]`
  void fill(long number, int[] ids);
}
