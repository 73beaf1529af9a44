package moe.engine.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CorpusTest {
  @TempDir Path base;
  private final List<String> notices = new ArrayList<>();

  private Corpus load(double heldOut, String... documents) throws IOException {
    List<String> lines = new ArrayList<>();
    for (String document : documents) {
      lines.add("{\"text\":\"%s\"}".formatted(document));
    }
    Files.write(base.resolve("a.jsonl"), lines);
    TextSource source = TextSource.find("a.jsonl", base, notices::add);
    return Corpus.load(source, heldOut, new LetterTokenizer(), null, notices::add);
  }

  private static List<Integer> ids(TokenSpan text) {
    List<Integer> ids = new ArrayList<>();
    for (int i = 0; i < text.length(); i++) {
      ids.add(text.id(i));
    }
    return ids;
  }

  @Test
  void endsEachDocument() throws IOException {
    Corpus corpus = load(0, "ab", "", "c");
    assertThat(ids(corpus.train())).containsExactly(97, 98, 256, 99, 256);
    assertThat(corpus.heldOut().length()).isZero();
    assertThat(corpus.name()).isEqualTo("a.jsonl");
  }

  @Test
  void holdsOutTheLastTokensOfOneDocument() throws IOException {
    Corpus corpus = load(0.25, "abcdefg");
    assertThat(ids(corpus.train())).containsExactly(97, 98, 99, 100, 101, 102);
    assertThat(ids(corpus.heldOut())).containsExactly(103, 256);
    assertThat(load(1, "abcdefg").train().length()).isZero();
  }

  @Test
  void cutsAtTheClosestBorderOfDocuments() throws IOException {
    // 10 + 4 + 6 = 20 tokens; 0.4 asks for a cut at 12, as far from 10 as from 14.
    String[] documents = {"a".repeat(9), "b".repeat(3), "c".repeat(5)};
    assertThat(load(0.4, documents).train().length()).isEqualTo(10);
    assertThat(load(0.35, documents).train().length()).isEqualTo(14);
    assertThat(load(0.3, documents).train().length()).isEqualTo(14);
    assertThat(load(1, documents).train().length()).isZero();
    assertThat(load(0, documents).train().length()).isEqualTo(20);
  }

  @Test
  void cutsInsideADocumentWhereBordersAreFar() throws IOException {
    assertThat(load(0.1, "a", "b".repeat(97)).heldOut().length()).isEqualTo(10);
    assertThat(load(0.1, "b".repeat(97), "a").heldOut().length()).isEqualTo(10);
    assertThat(load(0.9, "b".repeat(97), "a").train().length()).isEqualTo(10);
  }

  @Test
  void refusesAnEmptyText() {
    assertThatThrownBy(() -> load(0.1))
        .hasMessage("a.jsonl: no text in it; give a text.path with some");
    assertThatThrownBy(() -> load(0.1, "", "")).hasMessageContaining("no text in it");
  }

  @Test
  void countsUnigramsByHand() throws IOException {
    Corpus corpus = load(0.5, "aab", "ab");
    // Training: a a b end; held out: a b end. p(a) = 3/264 among 260 ids, p(b) = p(end) = 2/264.
    double expected = Math.exp(-(Math.log(3.0 / 264) + 2 * Math.log(2.0 / 264)) / 3);
    assertThat(UnigramBaseline.of(corpus.train(), corpus.heldOut(), 260).unigram())
        .isCloseTo(expected, within(1e-12 * expected));
    assertThat(UnigramBaseline.of(corpus.train(), load(0, "a").heldOut(), 260).unigram()).isNaN();

    // One window, the 3 tokens of the held-out part; the first of them is not predicted.
    SpreadWindows windows = Batches.spread(corpus.heldOut(), 1, 3, 9);
    assertThat(UnigramBaseline.of(corpus.train(), windows, 260).unigram())
        .isCloseTo(264 / 2.0, within(1e-12 * 132));
  }
}
