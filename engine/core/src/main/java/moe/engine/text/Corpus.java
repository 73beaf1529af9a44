package moe.engine.text;

import java.nio.file.Path;
import java.util.function.Consumer;
import moe.engine.text.tokenizer.Tokenizer;
import moe.spi.error.MoeException;
import org.jspecify.annotations.Nullable;

/// A text as token ids, cut into what is trained on and what is held out.
///
/// Documents are in order, each with an end of text behind it; the held-out part is the last.
///
/// @param name what the user calls the text
/// @param train the first part
/// @param heldOut the rest
public record Corpus(String name, TokenSpan train, TokenSpan heldOut) {
  /// Reads and encodes a text, or takes it from a cache.
  ///
  /// @param heldOut share of the tokens to hold out, from 0 to 1; a text with a division of its
  ///   own, such as `sotu`, ignores it. Borders of documents close to the share are preferred.
  /// @param cache where the encoded text is kept; null for nowhere
  /// @param notices takes a line if a cache is there but cannot be used, or not written
  /// @throws MoeException kind `DATA` for anything wrong with the text
  public static Corpus load(
      TextSource source,
      double heldOut,
      Tokenizer tokenizer,
      @Nullable Path cache,
      Consumer<String> notices) {
    if (!(heldOut >= 0 && heldOut <= 1)) {
      throw new IllegalArgumentException("heldOut = %s: must be from 0 to 1".formatted(heldOut));
    }
    TokenText text =
        cache == null
            ? TokenText.encode(source, tokenizer)
            : new TokenCache(cache, notices).load(source, tokenizer);
    int border = text.border(source, heldOut);
    return new Corpus(
        source.name(),
        new TokenSpan("the training part of " + source.name(), text.ids(), 0, border),
        new TokenSpan(
            "the held-out part of " + source.name(), text.ids(), border, text.ids().length));
  }
}
