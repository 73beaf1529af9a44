package moe.engine.text;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TextSourceTest {
  @TempDir Path base;
  private final List<String> notices = new ArrayList<>();

  private List<String> read(String path) {
    List<String> documents = new ArrayList<>();
    TextSource.find(path, base, notices::add).read(document -> documents.add(document.text()));
    return documents;
  }

  private AbstractThrowableAssert<?, ?> refused(String path) {
    return assertThatThrownBy(() -> read(path))
        .isInstanceOfSatisfying(
            MoeException.class,
            error -> {
              assertThat(error.kind()).isEqualTo(ErrorKind.DATA);
              assertThat(error.getMessage().chars()).noneMatch(Character::isISOControl);
            });
  }

  private void write(String name, String text) throws IOException {
    write(name, text.getBytes(UTF_8));
  }

  private void write(String name, byte[] bytes) throws IOException {
    Files.write(base.resolve(name), bytes);
  }

  private static byte[] gzip(byte[] bytes) throws IOException {
    ByteArrayOutputStream zipped = new ByteArrayOutputStream();
    try (GZIPOutputStream out = new GZIPOutputStream(zipped)) {
      out.write(bytes);
    }
    return zipped.toByteArray();
  }

  @Test
  void readsAFileAsOneDocument() throws IOException {
    write("a.txt", "one\ntwo\r\nünf 𝔘 \uFFFD\n");
    assertThat(read("a.txt")).containsExactly("one\ntwo\r\nünf 𝔘 \uFFFD\n");
    assertThat(read(base.resolve("a.txt").toString())).hasSize(1);
  }

  @Test
  void readsEachLineOfJsonAsADocument() throws IOException {
    write(
        "a.jsonl",
        "{\"text\":\"one\\n\",\"x\":{\"text\":[1]}}\n\n"
            + "{\"y\":1,\"text\":\"\\u00fcnf \\ud835\\udd18\"}");
    assertThat(read("a.jsonl")).containsExactly("one\n", "ünf 𝔘");
  }

  @Test
  void readsLongLines() throws IOException {
    String text = "word ".repeat(100_000); // several buffers
    write("a.jsonl", "{\"text\":\"%s\"}\n{\"text\":\"b\"}\n".formatted(text));
    assertThat(read("a.jsonl")).containsExactly(text, "b");
  }

  @Test
  void readsTheFilesOfADirectoryInOrderOfName() throws IOException {
    write("c.txt", "c");
    write("a.jsonl.gz", gzip("{\"text\":\"a1\"}\n{\"text\":\"a2\"}\n".getBytes(UTF_8)));
    write("B.TXT.GZ", gzip("b".getBytes(UTF_8)));
    write(".hidden.txt", "no");
    Files.createDirectory(base.resolve("d.txt"));
    assertThat(read(".")).containsExactly("b", "a1", "a2", "c");
    assertThat(notices).isEmpty();
  }

  @Test
  void dropsAByteOrderMark() throws IOException {
    write("a.txt", "\uFEFFone\uFEFF");
    assertThat(read("a.txt")).containsExactly("one\uFEFF");
  }

  @Test
  void saysWhereUtf8Ends() throws IOException {
    byte[] bytes = "é".repeat(10_000).getBytes(UTF_8);
    bytes[12_346] = (byte) 0xFF;
    write("a.txt", bytes);
    refused("a.txt")
        .hasMessageEndingWith(
            "a.txt: not valid UTF-8 at byte 12,346 (0xFF); save the" + " file as UTF-8");
    write("a.txt.gz", gzip(bytes));
    refused("a.txt.gz").hasMessageContaining("at byte 12,346 (0xFF)");
    write("cut.txt", Arrays.copyOf(bytes, 5));
    refused("cut.txt").hasMessageContaining("at byte 4 (0xC3)");
    byte[] line = "{\"text\":\"a\"}\n{\"text\":\"?\"}\n".getBytes(UTF_8);
    line[22] = (byte) 0x80;
    write("a.jsonl", line);
    refused("a.jsonl").hasMessageContaining("a.jsonl:2: not valid UTF-8 at byte 22 (0x80)");
  }

  @Test
  void saysWhichLineHasNoText() throws IOException {
    write("a.jsonl", "{\"text\":\"a\"}\n\n{\"txt\":\"b\"}\n");
    refused("a.jsonl")
        .hasMessageEndingWith(
            "a.jsonl:3: no field \"text\"; each line must be a JSON object with a text field");
    write("a.jsonl", "{\"text\":1}");
    refused("a.jsonl").hasMessageContaining("a.jsonl:1: the field \"text\" is no string");
    write("a.jsonl", "{\"text\":\"a\",\"text\":\"b\"}");
    refused("a.jsonl").hasMessageContaining("occurs twice");
    write("a.jsonl", "[]");
    refused("a.jsonl").hasMessageContaining("no JSON object");
    write("a.jsonl", "{\"text\":\"a\"} {}");
    refused("a.jsonl").hasMessageContaining("a.jsonl:1: ");
    write("a.jsonl", "{\"text\":\"a\"");
    refused("a.jsonl").hasMessageContaining("not valid JSON");
    write("a.jsonl", "{'text':'a'}");
    refused("a.jsonl").hasMessageContaining("not valid JSON");
    write("a.jsonl", "{\"text\":\"\\ud835x\"}");
    refused("a.jsonl").hasMessageContaining("not valid JSON");
    write("a.jsonl", "{\"text\":\"x\\udc35\"}");
    refused("a.jsonl").hasMessageContaining("not valid JSON");
    write("a.jsonl", "{\"x\":%s".formatted("[".repeat(100_000)));
    refused("a.jsonl").hasMessageContaining("not valid JSON");
  }

  @Test
  void refusesDamagedArchives() throws IOException {
    byte[] zipped = gzip("some text".repeat(100).getBytes(UTF_8));
    write("a.txt.gz", Arrays.copyOf(zipped, zipped.length - 9));
    refused("a.txt.gz").hasMessageContaining("not a whole gzip file");
    write("a.txt.gz", "no gzip".getBytes(UTF_8));
    refused("a.txt.gz").hasMessageContaining("not a whole gzip file");
    zipped[zipped.length / 2] ^= 0x55;
    write("a.txt.gz", zipped);
    refused("a.txt.gz").hasMessageContaining("not a whole gzip file");
  }

  @Test
  void listsTheBuiltInNamesForAnUnknownOne() {
    refused("sotou")
        .hasMessageStartingWith(
            "text.path = \"sotou\": neither a built-in corpus (sotu, moby-dick) nor a file or")
        .hasMessageEndingWith("check the name. Did you mean sotu?");
    refused("Moby_Dick").hasMessageEndingWith("Did you mean moby-dick?");
    refused("no/such/file.txt").hasMessageEndingWith("check the name.");
    refused("").hasMessageContaining("neither");
    refused("\u0000\u001b[31m").hasMessageContaining("neither");
  }

  @Test
  void refusesWhatIsNoText() throws IOException {
    write("a.pdf", "%PDF");
    refused("a.pdf").hasMessageContaining("rename it to end in .txt or .jsonl");
    Path empty = Files.createDirectory(base.resolve("empty"));
    refused("empty").hasMessageStartingWith(empty + ": no file of text in it");
  }

  @Test
  void saysWhichFilesOfADirectoryAreNotRead() throws IOException {
    write("a.txt", "a");
    write("b.pdf", "%PDF");
    assertThat(read(".")).containsExactly("a");
    assertThat(notices).singleElement().asString().contains("1 files are read", "b.pdf");
  }

  @Test
  void saysWhichFileCannotBeRead() throws IOException {
    write("a.txt", "a");
    TextSource source = TextSource.find("a.txt", base, notices::add);
    Files.delete(base.resolve("a.txt"));
    assertThatThrownBy(() -> source.read(document -> {}))
        .isInstanceOf(MoeException.class)
        .hasMessageContaining("a.txt: cannot be read (java.nio.file.NoSuchFileException");
    assertThatThrownBy(source::checksum).hasMessageContaining("cannot be read");
  }

  @Test
  void changesTheChecksumWithTheBytes() throws IOException {
    write("a.txt", "ab");
    String first = checksum("a.txt");
    assertThat(first).hasSize(64);
    write("moved.txt", "ab");
    assertThat(checksum("moved.txt")).isEqualTo(first);
    write("a.txt", "ac");
    assertThat(checksum("a.txt")).isNotEqualTo(first);
    write("b.jsonl", "ab");
    assertThat(checksum("b.jsonl")).isNotEqualTo(first);
  }

  private String checksum(String path) {
    return TextSource.find(path, base, notices::add).checksum();
  }
}
