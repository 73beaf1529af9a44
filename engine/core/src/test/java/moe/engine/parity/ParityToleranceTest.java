package moe.engine.parity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.BitSet;
import moe.spi.device.Compute;
import org.junit.jupiter.api.Test;

/// What may differ in each format.
final class ParityToleranceTest {
  @Test
  void float32IsHeldToItsSumsAndToTheSameExperts() {
    assertThat(ParityTolerance.of(Compute.F32)).isEqualTo(new ParityTolerance(1e-5, 1e-4, 0, true));
  }

  @Test
  void fewerBitsMayErrMoreAndNeverLessThanTheirRounding() {
    double ten = ParityTolerance.of(Compute.TF32).forward();
    assertThat(ParityTolerance.of(Compute.F16).forward()).isEqualTo(ten).isBetween(0x1p-11, 0.01);
    assertThat(ParityTolerance.of(Compute.BF16).forward()).isBetween(0x1p-8, 0.05);
    assertThatThrownBy(() -> ParityTolerance.of(Compute.AUTO))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void leavesOutTheRowsOfTokensWithOtherExperts() {
    BitSet tokens = new BitSet();
    tokens.set(0);
    tokens.set(2);
    assertThat(new Rerouted(tokens).leftOut(new float[] {1, 2, 3, 4, 5, 6, 7, 8}, 4))
        .containsExactly(3, 4, 7, 8);
    assertThat(Rerouted.NONE.leftOut(new float[] {1, 2}, 2)).containsExactly(1, 2);
  }

  @Test
  void aShareOfIntegersMayDiffer() {
    int[] ours = {1, 2, 3, 4};
    int[] reference = {1, 2, 3, 5};
    assertThat(ParityItem.ints("ids", ours, reference, 0.25).ok()).isTrue();
    assertThat(ParityItem.ints("ids", ours, reference, 0.24).ok()).isFalse();
    assertThat(ParityItem.ints("ids", ours, ours, 0).ok()).isTrue();
  }
}
