package moe.engine.text;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;

/// Whatever the bytes are, there are documents or one line about the first that is none.
final class JsonLinesFuzzTest {
  private static final int MOST_BYTES = 4096;

  @FuzzTest(maxDuration = "60s")
  void readsOrRefuses(byte[] bytes) throws IOException {
    try {
      new JsonLines("x.jsonl", new ByteArrayInputStream(bytes), MOST_BYTES)
          .read(document -> {
            if (document.text().length() > MOST_BYTES) {
              throw new AssertionError("a text longer than its line");
            }
          });
    } catch (MoeException refused) {
      if (refused.kind() != ErrorKind.DATA
          || refused.getMessage().chars().anyMatch(Character::isISOControl)) {
        throw new AssertionError("no answer for a user", refused);
      }
    }
  }
}
