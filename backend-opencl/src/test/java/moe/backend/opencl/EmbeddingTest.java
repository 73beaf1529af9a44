package moe.backend.opencl;

import static org.assertj.core.api.Assertions.assertThat;

import moe.backend.tests.EmbeddingContract;
import moe.backend.tests.Way;
import moe.backend.tests.Workplace;
import moe.spi.device.Embeddings;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Embedding.
class EmbeddingTest extends EmbeddingContract implements OpenClPlace {
  @ParameterizedTest
  @EnumSource
  void showsAnIdOutsideTheTableAsNaN(Way way) {
    int vocab = 11;
    try (Workplace at = open(way)) {
      var tables = new Embeddings(at.zeros(vocab, 4), at.zeros(8, 4));
      var out = at.zeros(3, 4);
      at.ops.embed(at.ints(3, vocab, -1), tables, 3, 0, out, at.stream);
      double[] nan = {0, 0, 0, 0, Double.NaN, Double.NaN, Double.NaN, Double.NaN};
      assertThat(at.numbers(out.slice(0, 2))).containsExactly(nan);
      assertThat(at.numbers(out.slice(2, 3))).containsOnly(Double.NaN);
      // and its gradient belongs to nobody
      var gradients = new Embeddings(at.zeros(vocab, 4), at.zeros(8, 4));
      at.ops.embedBackward(at.ints(3, vocab, -1), at.random(3, 4), 3, gradients, at.stream);
      assertThat(at.numbers(gradients.tokens().slice(0, 3))).containsOnly(0);
      assertThat(at.numbers(gradients.tokens().slice(4, vocab))).containsOnly(0);
    }
  }
}
