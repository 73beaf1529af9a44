package moe.engine.checkpoint;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Safetensors files that are damaged or made to do harm.
final class HostileSafetensorsTest {
  private static final String GOOD =
      "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}";

  @TempDir private Path directory;

  @ParameterizedTest(name = "{0}")
  @MethodSource("headers")
  void refusesAHeader(String what, String header, int dataBytes, String expected)
      throws IOException {
    assertThat(what).isNotBlank();
    refuses(file(header.getBytes(UTF_8), dataBytes), expected);
  }

  static Stream<Arguments> headers() {
    return Stream.of(
        arguments("not JSON", "{\"a\"", 0, "not valid JSON"),
        arguments("a list", "[]", 0, "expected an object"),
        arguments("empty", "", 0, "not valid JSON"),
        arguments("text behind the end", GOOD + "{}", 8, "header"),
        arguments("a tensor twice", twice(), 16, "\"a\" occurs twice"),
        arguments(
            "a field twice",
            "{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}",
            8,
            "\"dtype\" occurs twice"),
        arguments("no dtype", "{\"a\":{\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "lacks dtype"),
        arguments("unknown field", GOOD.replace("dtype", "kind"), 8, "unknown field \"kind\""),
        arguments("unknown dtype", GOOD.replace("F32", "F31"), 8, "unknown dtype F31"),
        arguments("shape as text", GOOD.replace("[2]", "\"2\""), 8, "expected a list"),
        arguments("shape of texts", GOOD.replace("[2]", "[\"2\"]"), 8, "expected a whole number"),
        arguments("negative extent", GOOD.replace("[2]", "[-2]"), 8, "-2 is no whole number"),
        arguments("broken extent", GOOD.replace("[2]", "[2.0]"), 8, "2.0 is no whole number"),
        arguments("huge extent", GOOD.replace("[2]", "[99999999999999999999]"), 8, "whole number"),
        arguments(
            "overflowing shape",
            GOOD.replace("[2]", "[4294967296,4294967296,2]"),
            8,
            "too large for any file"),
        arguments(
            "overflowing bytes", GOOD.replace("[2]", "[4611686018427387904]"), 8, "too large"),
        arguments("rank 17", GOOD.replace("[2]", "[1" + ",1".repeat(16) + "]"), 8, "more than 16"),
        arguments("offsets of three", GOOD.replace("[0,8]", "[0,8,8]"), 8, "[begin, end]"),
        arguments("offsets backwards", GOOD.replace("[0,8]", "[8,0]"), 8, "[begin, end]"),
        arguments("too few bytes", GOOD.replace("[0,8]", "[0,4]"), 4, "takes 8"),
        arguments("a hole", GOOD.replace("[0,8]", "[4,12]"), 12, "a hole"),
        arguments("an overlap", overlap(), 12, "an overlap"),
        arguments("beyond the end", GOOD, 4, "but there are 4"),
        arguments("bytes left over", GOOD, 9, "but there are 9"),
        arguments("metadata of numbers", "{\"__metadata__\":{\"x\":1}}", 0, "expected a text"),
        arguments("metadata of 10,001 texts", metadata(texts(10_001)), 0, "more than 10,000"),
        arguments("a text without quotes", "{a:1}", 0, "not valid JSON at line 1 column 3"),
        arguments("metadata twice", metadata("{},\"__metadata__\":{}"), 0, "occurs twice"),
        arguments(
            "a key of metadata twice", metadata("{\"x\":\"\",\"x\":\"\"}"), 0, "occurs twice"),
        arguments("deep metadata", metadata("{\"x\":" + "[".repeat(100_000)), 0, "expected a text"),
        arguments("deep nesting", "{\"a\":" + "[".repeat(100_000), 0, "header"));
  }

  private static String texts(int count) {
    StringBuilder texts = new StringBuilder("{");
    for (int i = 0; i < count; i++) {
      texts.append(i == 0 ? "" : ",").append("\"%d\":\"\"".formatted(i));
    }
    return texts.append('}').toString();
  }

  @Test
  void reads10000TextsOfMetadata() throws IOException {
    byte[] header = metadata(texts(10_000)).getBytes(UTF_8);
    try (SafetensorsFile file = SafetensorsFile.open(file(header, 0))) {
      assertThat(file.names()).isEmpty();
    }
  }

  private static String metadata(String value) {
    return "{\"__metadata__\":" + value + "}";
  }

  private static String twice() {
    String entry = GOOD.substring(1, GOOD.length() - 1);
    return "{%s,%s}".formatted(entry, entry.replace("[0,8]", "[8,16]"));
  }

  private static String overlap() {
    String entry = GOOD.substring(1, GOOD.length() - 1);
    return "{%s,%s}".formatted(entry, entry.replace("\"a\"", "\"b\"").replace("[0,8]", "[4,12]"));
  }

  @ParameterizedTest(name = "a header of {0} bytes")
  @MethodSource("lengths")
  void refusesALengthOfHeader(long length, String expected) throws IOException {
    Path path = directory.resolve("model.safetensors");
    ByteBuffer bytes = ByteBuffer.allocate(20).order(ByteOrder.LITTLE_ENDIAN);
    Files.write(path, bytes.putLong(length).array());
    refuses(path, expected);
  }

  static Stream<Arguments> lengths() {
    return Stream.of(
        arguments(13, "the header claims 13 bytes, but the file has 20"),
        arguments(100_000_001, "at most 100,000,000"),
        arguments(-1, "claims 18446744073709551615 bytes"),
        arguments(Long.MIN_VALUE, "claims 9223372036854775808 bytes"));
  }

  @Test
  void refusesTooShortAFile() throws IOException {
    refuses(
        Files.write(directory.resolve("model.safetensors"), new byte[7]), "7 bytes are too few");
  }

  @Test
  void refusesAHeaderThatIsNotUtf8() throws IOException {
    byte[] header = GOOD.getBytes(UTF_8);
    header[2] = (byte) 0xFF;
    refuses(file(header, 8), "not valid UTF-8");
  }

  @Test
  void hidesControlCharactersOfNames() throws IOException {
    String header = GOOD.replace("\"a\"", "\"a\\u001b[2J\\n\"").replace("F32", "F31");
    refuses(file(header.getBytes(UTF_8), 8), "tensor a?[2J? has the unknown dtype");
  }

  private Path file(byte[] header, int dataBytes) throws IOException {
    ByteBuffer bytes =
        ByteBuffer.allocate(8 + header.length + dataBytes).order(ByteOrder.LITTLE_ENDIAN);
    return Files.write(
        directory.resolve("model.safetensors"), bytes.putLong(header.length).put(header).array());
  }

  private static void refuses(Path path, String expected) {
    String line = Refusals.line(() -> SafetensorsFile.open(path).close());
    assertThat(line).startsWith(path + ": ").contains(expected);
  }
}
