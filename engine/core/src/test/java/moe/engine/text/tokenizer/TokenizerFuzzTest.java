package moe.engine.text.tokenizer;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import org.junit.jupiter.api.io.TempDir;

/// Whatever vocab.json and merges.txt hold, there is a tokenizer that gives texts back, or one line
/// about the file.
final class TokenizerFuzzTest {
  private static final String TEXT = "Don't panic: 42 \u00e9\u4e00\ud83d\ude00  ok";

  @TempDir private static Path directory;

  /// @param bytes vocab.json, a zero byte, merges.txt
  @FuzzTest(maxDuration = "60s")
  void readsOrRefuses(byte[] bytes) throws IOException {
    int border = 0;
    while (border < bytes.length && bytes[border] != 0) {
      border++;
    }
    Files.write(directory.resolve("vocab.json"), Arrays.copyOf(bytes, border));
    Files.write(
        directory.resolve("merges.txt"),
        Arrays.copyOfRange(bytes, Math.min(border + 1, bytes.length), bytes.length));
    try {
      Tokenizer tokenizer = Tokenizer.of(directory);
      String back = new String(tokenizer.decode(tokenizer.encode(TEXT)), StandardCharsets.UTF_8);
      if (!back.equals(TEXT)) {
        throw new AssertionError(TEXT + " came back as " + back);
      }
    } catch (MoeException refused) {
      if (refused.kind() != ErrorKind.DATA
          || refused.getMessage().chars().anyMatch(Character::isISOControl)) {
        throw new AssertionError("no answer for a user", refused);
      }
    }
  }
}
