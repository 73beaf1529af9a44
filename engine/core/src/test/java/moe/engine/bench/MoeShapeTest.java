package moe.engine.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import moe.spi.device.Activation;
import moe.spi.device.DType;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;
import moe.spi.stage.LayerSpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class MoeShapeTest {
  @Test
  void findsANamedShape() {
    assertThat(MoeShape.parse("olmoe-4k"))
        .isEqualTo(new MoeShape("olmoe-4k", 4096, 2048, 1024, 64, 8, true));
  }

  @Test
  void readsNumbers() {
    LayerSpec plain = MoeShape.parse("33/130/5/7/3").spec(DType.BF16, false);
    assertThat(plain)
        .isEqualTo(
            new LayerSpec(33, 130, 5, 7, 3, Activation.GELU, false, true, DType.BF16, false));
    LayerSpec gated = MoeShape.parse("1/2/3/4/1/gated").spec(DType.F32, true);
    assertThat(gated.gated()).isTrue();
    assertThat(gated.bias()).isFalse();
    assertThat(gated.activation()).isEqualTo(Activation.SILU);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "seed",
        "1/2/3/4",
        "0/2/3/4/1",
        "1/2/3/4/5",
        "1/2/3/4/0",
        "-1/2/3/4/1",
        "1/2/3/4/1/x",
        "9999999999/1/1/1/1",
        "999999999/1/1/9/9"
      })
  void refusesWhatIsNoShapeInOneLine(String text) {
    assertThatThrownBy(() -> MoeShape.parse(text))
        .isInstanceOfSatisfying(
            MoeException.class, e -> assertThat(e.kind()).isEqualTo(ErrorKind.USAGE))
        .hasMessageStartingWith("--shape " + text + ": ")
        .message()
        .doesNotContain("\n");
  }

  @Test
  void countsTheWorkOfTheSeedByHand() {
    MoeShape seed = MoeShape.parse("seed-64");
    // 64 tokens, 2 experts each, 2 matrices of 768 × 3072, 2 operations a weight; router 768 × 8.
    assertThat(seed.forwardFlops()).isEqualTo(64.0 * (2 * 2 * 2 * 768 * 3072 + 2 * 768 * 8));
    assertThat(seed.weightBytes(8, DType.BF16)).isEqualTo(8.0 * 2 * 768 * 3072 * 2);
  }
}
