package moe.engine.files;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class OneLineTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "\n", "\r", "\t", "\0", "\u001b", "\u007f", "\u0085", "\u009b", "\u202e", "\u2028",
        "\u2029", "\u2066"
      })
  void showsAQuestionMarkForWhatIsNotFit(String unfit) {
    assertThat(OneLine.of("a" + unfit + "b")).isEqualTo("a?b");
  }

  @Test
  void leavesTheRestAndCutsLongText() {
    assertThat(OneLine.of("naïve 日本 \ud83d\ude00 \"quoted\""))
        .isEqualTo("naïve 日本 \ud83d\ude00 \"quoted\"");
    assertThat(OneLine.of("abcdef", 6)).isEqualTo("abcdef");
    assertThat(OneLine.of("abcdef", 5)).isEqualTo("abcde…");
  }
}
