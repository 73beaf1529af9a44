package moe.engine.text.tokenizer;

import java.io.ByteArrayOutputStream;
import java.nio.file.Path;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import org.jspecify.annotations.Nullable;

/// Text to token ids and back.
///
/// Implementations are immutable and safe for use by several threads.
public interface Tokenizer {
  /// What is shown to the user, for example `r50k_base`.
  String name();

  /// Differs between tokenizers that may give different ids for some text. One line, in ASCII.
  String fingerprint();

  /// How many ids there are: from 0 to one less than this.
  int vocab();

  /// The id that ends a document.
  int endOfText();

  /// The ids of a text. Nothing in it is special: `<|endoftext|>` gives the ids of its characters.
  int[] encode(String text);

  /// The bytes that an id stands for; a piece of UTF-8, perhaps of one character only.
  ///
  /// An id outside the vocabulary, which a model with a padded vocabulary may choose, gives the
  /// replacement character U+FFFD.
  byte[] bytes(int id);

  /// The bytes that ids stand for, one after the other.
  default byte[] decode(int... ids) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(4 * ids.length);
    for (int id : ids) {
      bytes.writeBytes(bytes(id));
    }
    return bytes.toByteArray();
  }

  /// Refuses a model that does not know all ids of this tokenizer. A model may know more: some are
  /// padded to a round number.
  ///
  /// @param model the name of the model, for the message
  /// @param modelVocab how many ids the model knows
  /// @throws MoeException kind `DATA`
  default void requireFits(String model, int modelVocab) {
    if (vocab() > modelVocab) {
      throw new MoeException(
          ErrorKind.DATA,
          ("the tokenizer %s has %,d ids, but %s has a vocabulary of %,d;"
                  + " put the model's own vocab.json and merges.txt into its directory")
              .formatted(name(), vocab(), model, modelVocab));
    }
  }

  /// GPT-2's own tokenizer, which ships with the engine.
  static Tokenizer r50k() {
    return BytePairTokenizer.r50k();
  }

  /// The tokenizer of a model: read from vocab.json and merges.txt in its directory, or GPT-2's own
  /// where there are none.
  ///
  /// @param directory a Hugging Face directory; null for a model without one
  /// @throws MoeException kind `DATA` if one of the files is missing or anything is wrong with them
  static Tokenizer of(@Nullable Path directory) {
    return directory == null ? r50k() : TokenizerFiles.in(directory);
  }
}
