package moe.engine.checkpoint;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class ShortTextsTest {
  private static final DataFile FILE = new DataFile(Path.of("x.safetensors"));
  private static final String LONGEST = "a".repeat(ShortTexts.MAX_TEXT);
  private static final String ESCAPES = "\\\"".repeat(ShortTexts.MAX_TEXT / 2);

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 1000})
  void passesTextsOfTheLongestLengthAndAnythingOutsideOfTexts(int chunk) {
    assertPasses(chunk, "{\"%s\": 1, \"\": \"%s\"}".formatted(LONGEST, LONGEST));
    assertPasses(chunk, "{\"%s\": 1}".formatted(ESCAPES));
    assertPasses(chunk, "{" + " ".repeat(2 * ShortTexts.MAX_TEXT) + "\"a\": 1}");
    assertPasses(
        chunk, "{\"\\\\\": \"" + LONGEST + "\"}"); // the backslash is escaped, not the quote
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 1000})
  void refusesOneByteMore(int chunk) {
    assertRefuses(chunk, "{\"%sa\": 1}".formatted(LONGEST));
    assertRefuses(chunk, "{\"a\": \"b\", \"%sa\": 1}".formatted(LONGEST));
    assertRefuses(chunk, "{\"%sa\": 1}".formatted(ESCAPES));
    assertRefuses(chunk, "\"a\\\\\"" + "\"a" + LONGEST); // never closed
  }

  private static void assertPasses(int chunk, String json) {
    assertThat(read(chunk, json)).isEqualTo(json);
  }

  private static void assertRefuses(int chunk, String json) {
    assertThat(Refusals.line(() -> read(chunk, json)))
        .startsWith("x.safetensors: the header has a text of more than 2,097,152 bytes");
  }

  /// @param chunk bytes read at once; 0 to read byte by byte
  private static String read(int chunk, String json) {
    byte[] read = new byte[json.length()];
    int length = 0;
    try (InputStream in =
        new ShortTexts(FILE, new ByteArrayInputStream(json.getBytes(ISO_8859_1)))) {
      byte[] piece = new byte[Math.max(chunk, 1) + 2];
      while (true) {
        int count = chunk == 0 ? 1 : in.read(piece, 1, chunk);
        int single = chunk == 0 ? in.read() : 0;
        if (count < 0 || single < 0) {
          break;
        }
        if (chunk == 0) {
          read[length] = (byte) single;
        } else {
          System.arraycopy(piece, 1, read, length, count);
        }
        length += count;
      }
    } catch (IOException impossible) {
      throw new UncheckedIOException(impossible);
    }
    return new String(read, 0, length, ISO_8859_1);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 3, 100})
  void aSegmentIsReadToItsEnd(int chunk) throws IOException {
    byte[] bytes = {0, -1, 127, -128, 5};
    try (InputStream in = new SegmentInput(MemorySegment.ofArray(bytes))) {
      assertThat(in.read(new byte[1], 0, 0)).isZero();
      byte[] found = new byte[bytes.length];
      for (int at = 0; at < bytes.length; ) {
        if (chunk == 0) {
          int value = in.read();
          assertThat(value).isBetween(0, 255);
          found[at++] = (byte) value;
        } else {
          at += in.read(found, at, Math.min(chunk, bytes.length - at));
        }
      }
      assertThat(found).isEqualTo(bytes);
      assertThat(in.read()).isEqualTo(-1);
      assertThat(in.read(found, 0, 5)).isEqualTo(-1);
    }
  }
}
