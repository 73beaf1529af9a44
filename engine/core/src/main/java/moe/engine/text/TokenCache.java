package moe.engine.text;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Optional;
import java.util.function.Consumer;
import moe.engine.files.PlainFile;
import moe.engine.files.SafeFile;
import moe.engine.text.tokenizer.Tokenizer;

/// A file that keeps an encoded text, so that it is encoded once.
///
/// Never trusted: a file that belongs to another text or tokenizer, or is damaged, is made anew and
/// a line says so. A cache that cannot be written is no error: the text is there.
final class TokenCache {
  private final Path file;
  private final Consumer<String> notices;

  TokenCache(Path file, Consumer<String> notices) {
    this.file = file;
    this.notices = notices;
  }

  /// The encoded text, from the file if that is right.
  TokenText load(TextSource source, Tokenizer tokenizer) {
    byte[] key = key(source, tokenizer);
    Optional<TokenText> kept = read(key, tokenizer.vocab());
    if (kept.isPresent()) {
      return kept.get();
    }
    TokenText text = TokenText.encode(source, tokenizer);
    write(text, key, tokenizer.vocab());
    return text;
  }

  private static byte[] key(TextSource source, Tokenizer tokenizer) {
    String what = source.checksum() + "\n" + tokenizer.fingerprint();
    return TextSource.sha256().digest(what.getBytes(StandardCharsets.UTF_8));
  }

  private Optional<TokenText> read(byte[] key, int vocab) {
    if (Files.notExists(file)) {
      return Optional.empty();
    }
    try {
      return Optional.of(TokenFile.parse(PlainFile.bytes(file), key, vocab));
    } catch (TokenFile.Unusable reason) {
      notices.accept("%s: %s; encoding the text again".formatted(file, reason.getMessage()));
    } catch (IOException failed) {
      notices.accept("%s: cannot be read (%s); encoding the text again".formatted(file, failed));
    }
    return Optional.empty();
  }

  private void write(TokenText text, byte[] key, int vocab) {
    if (!TokenFile.holds(text, vocab)) {
      notices.accept("%s: the text is too long to be kept".formatted(file));
      return;
    }
    Path partial = file.resolveSibling(file.getFileName() + ".partial");
    try {
      try (FileChannel channel = SafeFile.draft(partial)) {
        ByteBuffer bytes = TokenFile.format(text, key, vocab);
        while (bytes.hasRemaining()) {
          channel.write(bytes);
        }
        channel.force(true);
      }
      Files.move(
          partial, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException failed) {
      notices.accept(
          "%s: cannot be written (%s); the text will be encoded again next time"
              .formatted(file, failed));
      deletePartial(partial);
    }
  }

  private void deletePartial(Path partial) {
    try {
      Files.deleteIfExists(partial);
    } catch (IOException failed) {
      notices.accept("%s: cannot be deleted (%s)".formatted(partial, failed));
    }
  }
}
