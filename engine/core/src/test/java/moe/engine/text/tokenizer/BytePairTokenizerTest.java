package moe.engine.text.tokenizer;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BytePairTokenizerTest {
  @TempDir static Path directory;
  private static Tokenizer r50k;
  private static Tokenizer fromFiles;

  @BeforeAll
  static void writeFiles() throws IOException {
    R50kFiles.write(directory);
    r50k = Tokenizer.r50k();
    fromFiles = Tokenizer.of(directory);
  }

  @Test
  void encodesAsGpt2Does() {
    // From OpenAI's and Hugging Face's documentation of GPT-2.
    assertThat(r50k.encode("Hello world")).containsExactly(15496, 995);
    assertThat(r50k.encode(" Hello world")).containsExactly(18435, 995);
    assertThat(r50k.vocab()).isEqualTo(50257);
    assertThat(r50k.endOfText()).isEqualTo(50256);
  }

  @Test
  void takesNothingInATextAsSpecial() {
    assertThat(r50k.encode("<|endoftext|>")).doesNotContain(50256).hasSizeGreaterThan(1);
    assertThat(fromFiles.encode("<|endoftext|>")).isEqualTo(r50k.encode("<|endoftext|>"));
  }

  @Test
  void givesTheSameIdsFromFilesAsFromR50k() throws IOException {
    assertThat(fromFiles.vocab()).isEqualTo(50257);
    assertThat(fromFiles.endOfText()).isEqualTo(50256);
    for (String corpus : new String[] {"sotu.jsonl.gz", "moby-dick.txt.gz"}) {
      try (InputStream raw = BytePairTokenizerTest.class.getResourceAsStream("../" + corpus);
          InputStream text = new GZIPInputStream(raw)) {
        String all = new String(text.readAllBytes(), UTF_8);
        int[] ids = fromFiles.encode(all);
        assertThat(Arrays.equals(ids, r50k.encode(all))).as(corpus).isTrue();
        assertThat(new String(r50k.decode(ids), UTF_8).equals(all)).as(corpus).isTrue();
      }
    }
  }

  @Test
  void standsForTheSameBytesFromFilesAsFromR50k() {
    for (int id = 0; id < r50k.vocab(); id++) {
      assertThat(fromFiles.bytes(id)).isEqualTo(r50k.bytes(id));
    }
  }

  @Test
  void agreesWithTheDefinitionOnRandomPieces() throws IOException {
    MergeTable definition = mergeTable();
    Random random = new Random(7);
    for (int i = 0; i < 300; i++) {
      // From 500 bytes on, jtokkit takes another way.
      int length = 1 + random.nextInt(i % 10 == 0 ? 1200 : 30);
      String letters = i % 2 == 0 ? "aeinorst" : "aaaAé本";
      StringBuilder piece = new StringBuilder();
      for (int k = 0; k < length; k++) {
        piece.append(letters.charAt(random.nextInt(letters.length())));
      }
      String word = piece.toString();
      assertThat(fromFiles.encode(word)).isEqualTo(definition.encode(word.getBytes(UTF_8)));
    }
  }

  @Test
  void bringsBackAnyText() {
    String text =
        "tabs\t\tand\r\nlines  \n\n\u00A0\u3000x naïve 本 𝔘 👩‍🚀 don't 1234 \u0000\u001F\uFFFD";
    assertThat(new String(r50k.decode(r50k.encode(text)), UTF_8)).isEqualTo(text);
    assertThat(new String(fromFiles.decode(fromFiles.encode(text)), UTF_8)).isEqualTo(text);
    assertThat(r50k.encode("")).isEmpty();
  }

  @Test
  void showsIdsOutsideTheVocabularyAsReplacement() {
    assertThat(new String(r50k.decode(50257, -1), UTF_8)).isEqualTo("\uFFFD\uFFFD");
  }

  private static MergeTable mergeTable() throws IOException {
    ModelFile vocab = new ModelFile(directory.resolve("vocab.json"), 1 << 24);
    ModelFile merges = new ModelFile(directory.resolve("merges.txt"), 1 << 24);
    return MergeTable.read(
        merges,
        Files.readAllBytes(merges.path()),
        Vocabulary.read(vocab, Files.readAllBytes(vocab.path())));
  }
}
