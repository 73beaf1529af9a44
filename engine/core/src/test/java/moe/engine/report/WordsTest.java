package moe.engine.report;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class WordsTest {
  @Test
  void countsReadLikeNumbersInAText() {
    assertThat(Words.count(9216)).isEqualTo("9,216");
    assertThat(Words.count(1_841_883)).isEqualTo("1.84 million");
    assertThat(Words.count(281_300_000)).isEqualTo("281 million");
    assertThat(Words.count(1_200_000_000)).isEqualTo("1.20 billion");
    assertThat(Words.count(1, "layer")).isEqualTo("1 layer");
    assertThat(Words.count(0, "layer")).isEqualTo("0 layers");
  }

  @Test
  void numbersKeepAboutThreeDigits() {
    assertThat(Words.number(50_257)).isEqualTo("50,257");
    assertThat(Words.number(36.14)).isEqualTo("36.1");
    assertThat(Words.number(4.321)).isEqualTo("4.32");
    assertThat(Words.number(0.01234)).isEqualTo("0.0123");
    assertThat(Words.number(0)).isEqualTo("0");
    assertThat(Words.number(Double.NaN)).isEqualTo("not a number");
    assertThat(Words.number(Double.NEGATIVE_INFINITY)).isEqualTo("infinite");
  }

  @Test
  void sharesTellNearlyAllFromAll() {
    assertThat(Words.percent(1)).isEqualTo("100 %");
    assertThat(Words.percent(0.991)).isEqualTo("99.1 %");
    assertThat(Words.percent(0.004)).isEqualTo("0.4 %");
    assertThat(Words.percent(0.63)).isEqualTo("63 %");
  }

  @Test
  void timesPickTheirUnit() {
    assertThat(Words.millis(0.5)).isEqualTo("0.500 ms");
    assertThat(Words.millis(480)).isEqualTo("480 ms");
    assertThat(Words.millis(4820)).isEqualTo("4.82 s");
    assertThat(Words.millis(48_200)).isEqualTo("48.2 s");
    assertThat(Words.duration(12.4)).isEqualTo("12.4 s");
    assertThat(Words.duration(252)).isEqualTo("4 min 12 s");
    assertThat(Words.duration(7380)).isEqualTo("2 h 3 min");
    assertThat(Words.bytes(6_657_199_309L)).isEqualTo("6.2 GiB");
    assertThat(Words.bytes(512L << 20)).isEqualTo("512 MiB");
  }
}
