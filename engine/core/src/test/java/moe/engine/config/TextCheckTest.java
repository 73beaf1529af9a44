package moe.engine.config;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_16;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

final class TextCheckTest {
  @Test
  void readsAByteOrderMarkAndLineEndsOfWindows() {
    Reading reading = parse("\uFEFF[moe]\r\ntop_k = 1 # \u00e9\r\n".getBytes(UTF_8));
    assertThat(reading.orThrow().moe().topK()).isEqualTo(1);
  }

  @Test
  void namesTheFirstByteThatIsNotUtf8() {
    assertThat(problems("[moe]\ntop_k = 2\n[text]\npath = \"caf\u00e9\"\n".getBytes(ISO_8859_1)))
        .containsExactly("x.toml:4: byte 0xE9 is not UTF-8; save the file as UTF-8");
    assertThat(problems("[moe]\ntop_k = 2\n".getBytes(UTF_16)))
        .containsExactly("x.toml:1: byte 0xFE is not UTF-8; save the file as UTF-8");
    // The last byte of a character is missing.
    assertThat(problems(new byte[] {'#', '\n', '#', (byte) 0xC3}))
        .containsExactly("x.toml:2: byte 0xC3 is not UTF-8; save the file as UTF-8");
    // A slash in two bytes, which is not its shortest form.
    assertThat(problems(new byte[] {'#', (byte) 0xC0, (byte) 0xAF}))
        .containsExactly("x.toml:1: byte 0xC0 is not UTF-8; save the file as UTF-8");
  }

  /// TOML4J alone takes a NUL for a part of the text.
  @Test
  void namesControlCharactersAndGoesOn() {
    String text =
        "[moe]\ntop_k = 2\0\nexperts = 4\u0007\n[text]\npath = \"a\u001bb\"\r\nheld_out = 5\r#\n";
    assertThat(problems(text.getBytes(UTF_8)))
        .containsExactly(
            "x.toml:2: control character U+0000; remove it",
            "x.toml:3: control character U+0007; remove it",
            "x.toml:5: control character U+001B; remove it",
            "x.toml:6: control character U+000D; remove it",
            "x.toml:6: [text] held_out = 5: must be between 0 and 0.9");
  }

  @Test
  void escapesWhatWouldSpoilATerminal() {
    assertThat(problems("[text]\npath = \u202e\u2028\uE000x\n".getBytes(UTF_8)))
        .containsExactly(
            "x.toml:2: [text] path: \\u202E\\u2028\\uE000x is not a value; a text needs quotes:"
                + " \"\\u202E\\u2028\\uE000x\"");
  }

  private static List<String> problems(byte[] bytes) {
    return ((Reading.Invalid) parse(bytes)).problems().stream().map(Problem::toString).toList();
  }

  private static Reading parse(byte[] bytes) {
    return PipelineFile.parse("x.toml", bytes, List.of(), new FakeCatalog());
  }
}
