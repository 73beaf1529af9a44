package moe.engine.bench;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class RelativeErrorTest {
  @Test
  void isRelativeToTheExpectedNorm() {
    float[] expected = {3, 4};
    assertThat(RelativeError.of(new float[] {3, 4.5f}, expected)).isEqualTo(0.1);
    assertThat(RelativeError.of(expected, expected)).isZero();
  }

  @Test
  void neverPassesANan() {
    assertThat(RelativeError.of(new float[] {Float.NaN}, new float[] {1})).isNaN();
    assertThat(RelativeError.of(new float[] {1}, new float[] {Float.NaN})).isNaN();
    assertThat(RelativeError.of(new float[] {Float.NaN}, new float[] {Float.NaN})).isNaN();
  }

  @Test
  void isInfiniteWhereNothingWasExpected() {
    assertThat(RelativeError.of(new float[] {1}, new float[] {0})).isInfinite();
  }
}
