package moe.engine.text;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import moe.engine.text.tokenizer.Tokenizer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TokenCacheTest {
  private static final int HASH = 32;

  @TempDir Path base;
  private Path cache;
  private final List<String> notices = new ArrayList<>();
  private int encoded;

  @BeforeEach
  void writeText() throws IOException {
    cache = base.resolve("tokens.cache");
    Files.writeString(base.resolve("a.txt"), "abc");
  }

  private int[] load(Tokenizer tokenizer) {
    TextSource source = TextSource.find("a.txt", base, notices::add);
    Corpus corpus = Corpus.load(source, 0, tokenizer, cache, notices::add);
    int[] ids = new int[corpus.train().length()];
    corpus.train().copy(0, ids, 0, ids.length);
    return ids;
  }

  private int[] load() {
    return load(counting("letters", 257));
  }

  private Tokenizer counting(String fingerprint, int vocab) {
    LetterTokenizer letters = new LetterTokenizer(fingerprint, vocab);
    return new Tokenizer() {
      @Override
      public String name() {
        return letters.name();
      }

      @Override
      public String fingerprint() {
        return letters.fingerprint();
      }

      @Override
      public int vocab() {
        return letters.vocab();
      }

      @Override
      public int endOfText() {
        return letters.endOfText();
      }

      @Override
      public int[] encode(String text) {
        encoded++;
        return letters.encode(text);
      }

      @Override
      public byte[] bytes(int id) {
        return letters.bytes(id);
      }
    };
  }

  @Test
  void encodesOnce() {
    assertThat(load()).containsExactly(97, 98, 99, 256);
    assertThat(load()).containsExactly(97, 98, 99, 256);
    assertThat(encoded).isEqualTo(1);
    assertThat(notices).isEmpty();
  }

  @Test
  void keepsIdsOfLargeVocabularies() throws IOException {
    Tokenizer wide = counting("wide", 70_000);
    assertThat(load(wide)).isEqualTo(load(wide));
    assertThat(encoded).isEqualTo(1);
    assertThat(Files.size(cache)).isEqualTo(52 + 4 + 4 * 4 + 32);
  }

  @Test
  void encodesAgainWhenTextOrTokenizerChanges() throws IOException {
    load();
    Files.writeString(base.resolve("a.txt"), "abd");
    assertThat(load()).containsExactly(97, 98, 100, 256);
    load(counting("other letters", 257));
    assertThat(encoded).isEqualTo(3);
    assertThat(notices)
        .hasSize(2)
        .allMatch(line ->
            line.endsWith(
                "tokens.cache: of another text or tokenizer, or the text has changed; encoding the"
                    + " text again"));
  }

  @Test
  void trustsNoByteOfTheFile() throws IOException {
    int[] ids = load();
    byte[] good = Files.readAllBytes(cache);
    for (int i = 0; i < good.length; i++) {
      byte[] bad = good.clone();
      bad[i] ^= 0x10;
      Files.write(cache, bad);
      assertThat(load()).isEqualTo(ids);
      Files.write(cache, Arrays.copyOf(good, i));
      assertThat(load()).isEqualTo(ids);
      assertThat(Files.readAllBytes(cache)).isEqualTo(good);
    }
    assertThat(notices).hasSize(2 * good.length).allMatch(line -> line.contains("again"));
    assertThat(encoded).isEqualTo(1 + 2 * good.length);
  }

  // Such a file has a right checksum, so somebody made it on purpose.
  @Test
  void trustsNoFieldOfAForgedFile() throws IOException {
    int[] ids = load();
    byte[] good = Files.readAllBytes(cache);
    for (int offset = 40; offset <= 60; offset += 4) {
      for (int value : new int[] {-1, 0, Integer.MAX_VALUE, Integer.MIN_VALUE, 3, 1 << 30}) {
        byte[] bad = good.clone();
        ByteBuffer.wrap(bad).order(ByteOrder.LITTLE_ENDIAN).putInt(offset, value);
        byte[] content = Arrays.copyOf(bad, bad.length - HASH);
        byte[] hash = TextSource.sha256().digest(content);
        System.arraycopy(hash, 0, bad, content.length, HASH);
        Files.write(cache, bad);
        assertThat(load()).as("%d at %d", value, offset).hasSameSizeAs(ids);
      }
    }
  }

  @Test
  void goesOnWhereTheCacheCannotBeWritten() throws IOException {
    Files.createDirectories(cache.resolve("in the way"));
    assertThat(load()).containsExactly(97, 98, 99, 256);
    cache = base.resolve("no directory/tokens.cache");
    assertThat(load()).containsExactly(97, 98, 99, 256);
    assertThat(notices).hasSize(3);
    assertThat(notices.get(0)).contains("tokens.cache: cannot be read");
    assertThat(notices.get(1)).contains("tokens.cache: cannot be written");
    assertThat(notices.get(2)).contains("no directory/tokens.cache: cannot be written");
    assertThat(base.resolve("tokens.cache.partial")).doesNotExist();
  }
}
