package moe.engine.text.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class TokenDecoderTest {
  private final Tokenizer tokenizer = Tokenizer.r50k();
  private final TokenDecoder decoder = new TokenDecoder(tokenizer);

  @Test
  void neverShowsAPartOfACharacter() {
    String text = "a👩‍🚀b本語é";
    int[] ids = tokenizer.encode(text);
    assertThat(ids.length)
        .isGreaterThan(text.codePointCount(0, text.length())); // so some are split
    List<String> shown = new ArrayList<>();
    for (int id : ids) {
      shown.add(decoder.next(id));
    }
    assertThat(decoder.finish()).isEmpty();
    assertThat(String.join("", shown)).isEqualTo(text);
    assertThat(shown)
        .allSatisfy(piece -> {
          assertThat(piece).doesNotContain("\uFFFD");
          assertThat(piece.codePoints()).noneMatch(c -> c >= 0xD800 && c <= 0xDFFF);
        });
  }

  @Test
  void showsWhatIsNoUtf8AsReplacement() {
    int[] rocket = tokenizer.encode("🚀");
    int a = tokenizer.encode("a")[0];
    assertThat(decoder.next(rocket[0])).isEmpty();
    assertThat(decoder.next(a)).isEqualTo("\uFFFDa");
    assertThat(decoder.next(rocket[0])).isEmpty();
    assertThat(decoder.finish()).isEqualTo("\uFFFD");
    assertThat(decoder.next(a)).isEqualTo("a");
    assertThat(decoder.finish()).isEmpty();
  }
}
