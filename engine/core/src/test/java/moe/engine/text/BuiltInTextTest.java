package moe.engine.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.GZIPInputStream;
import moe.engine.text.tokenizer.Tokenizer;
import org.junit.jupiter.api.Test;

class BuiltInTextTest {
  private static Corpus load(String name) {
    TextSource source = TextSource.find(name, Path.of(""), BuiltInTextTest::noNotice);
    return Corpus.load(source, 0.1, Tokenizer.r50k(), null, BuiltInTextTest::noNotice);
  }

  private static void noNotice(String line) {
    throw new AssertionError(line);
  }

  // Counts and perplexity were found by Python (transformers' GPT-2 tokenizer), see docs/adr/0042.
  @Test
  void cutsTheSpeechesAt1990() {
    Corpus sotu = load("sotu");
    assertThat(sotu.train().length()).isEqualTo(1_841_883);
    assertThat(sotu.heldOut().length()).isEqualTo(232_629);
    assertThat(sotu.train().id(1_841_882)).isEqualTo(50256);
    assertThat(sotu.heldOut().id(232_628)).isEqualTo(50256);

    UnigramBaseline baseline = UnigramBaseline.of(sotu.train(), sotu.heldOut(), 50257);
    assertThat(baseline.uniform()).isEqualTo(50257);
    // Python's value to 12 digits; sums differ in their order.
    assertThat(baseline.unigram()).isCloseTo(1381.846764845, within(1e-6));
    UnigramBaseline first =
        UnigramBaseline.of(sotu.train(), sotu.heldOut().first(60 * 16 * 64), 50257);
    assertThat(first.unigram()).isCloseTo(1115.486880852, within(1e-6));
    SpreadWindows looks = Batches.spread(sotu.heldOut(), 16, 64, 10);
    assertThat(UnigramBaseline.of(sotu.train(), looks, 50257).unigram())
        .isCloseTo(1437.386122937, within(1e-6));
  }

  @Test
  void holdsOutTheLastTenthOfTheNovel() {
    Corpus novel = load("moby-dick");
    assertThat(novel.train().length() + novel.heldOut().length()).isEqualTo(317_756 + 1);
    assertThat(novel.heldOut().length()).isEqualTo(31_776);
  }

  @Test
  void hasTheFirstSpeechFrom1990AtTheBorder() throws IOException {
    int border = BuiltInText.SOTU.source().firstHeldOut().getAsInt();
    List<String> lines;
    try (InputStream raw = BuiltInTextTest.class.getResourceAsStream("sotu.jsonl.gz");
        BufferedReader text =
            new BufferedReader(
                new InputStreamReader(new GZIPInputStream(raw), StandardCharsets.UTF_8))) {
      lines = text.lines().toList();
    }
    assertThat(lines).hasSize(233);
    assertThat(lines.get(border - 1)).startsWith("{\"year\": 1989,");
    assertThat(lines.get(border)).startsWith("{\"year\": 1990,");
  }
}
