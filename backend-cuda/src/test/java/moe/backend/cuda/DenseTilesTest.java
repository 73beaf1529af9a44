package moe.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Tiles of dense products on the 132 multiprocessors of an H200.
class DenseTilesTest {
  @ParameterizedTest
  @CsvSource({
    "1024, 768, 2304, 160", // 63 items, one round; 72 of 128 would be two
    "1024, 768, 768, 64", // 48 items in place of 24
    "1024, 768, 50257, 256", // 788 items, 11.9 rounds
    "2368, 768, 50257, 256", // nine tiles of 256 and one of 64
    "16384, 768, 2304, 256",
    "16384, 768, 768, 256",
    "65, 768, 768, 32"
  })
  void fillTheMultiprocessors(int rows, int in, int out, int tile) {
    assertThat(DenseTiles.rows(132, rows, in, out)).isEqualTo(tile);
  }

  @ParameterizedTest
  @CsvSource({"0, 8, 8", "1, 8, 8", "33, 136, 50", "100000000, 8, 8", "1, 65536, 1000000"})
  void areWidthsThatKernelsHave(int rows, int in, int out) {
    for (int multiprocessors : new int[] {2, 78, 132}) {
      assertThat(DenseTiles.rows(multiprocessors, rows, in, out) % 32).isZero();
      assertThat(DenseTiles.rows(multiprocessors, rows, in, out)).isBetween(32, 256);
    }
  }
}
