package moe.backend.cpu;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import moe.backend.tests.EmbeddingContract;
import moe.backend.tests.Way;
import moe.backend.tests.Workplace;
import moe.spi.device.Embeddings;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Embedding, also from a table in half the bytes.
class EmbeddingTest extends EmbeddingContract implements CpuPlace {
  @ParameterizedTest
  @EnumSource
  void readsATableInHalfTheBytes(Way way) {
    addsTokenAndPosition(way, 2, 33, 64, true);
  }

  @Test
  void namesAnIdOutsideTheTable() {
    try (Workplace at = open(Way.MAIN)) {
      var tables = new Embeddings(at.zeros(11, 4), at.zeros(8, 4));
      assertThatThrownBy(
              () -> at.ops.embed(at.ints(3, 11), tables, 2, 0, at.zeros(2, 4), at.stream))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("embed: ids[1] is 11, must be at least 0 and below 11");
    }
  }
}
