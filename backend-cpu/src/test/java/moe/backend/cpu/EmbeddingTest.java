package moe.backend.cpu;

import static moe.backend.cpu.Close.assertClose;
import static moe.backend.cpu.Workplace.ids;
import static moe.backend.cpu.Workplace.numbers;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import moe.spi.device.Embeddings;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Embedding against a reference in double precision.
class EmbeddingTest {
  private static final int VOCAB = 11;
  private static final int POSITIONS = 40;

  @ParameterizedTest
  @CsvSource({
    "VECTOR, 0, 3, 5, false", "VECTOR, 2, 1, 5, false", "VECTOR, 3, 31, 130, false",
    "VECTOR, 2, 33, 64, true", "SCALAR, 3, 31, 130, false", "SCALAR, 2, 33, 64, true"
  })
  void addsTokenAndPosition(Loops loops, int batch, int seqLength, int dModel, boolean rounded) {
    try (Workplace at = new Workplace(loops)) {
      int tokens = batch * seqLength;
      var ids = at.randomInts(VOCAB, batch, seqLength);
      var table = at.random(VOCAB, dModel);
      var stored = rounded ? at.rounded(table) : table;
      var positions = at.random(POSITIONS, dModel);
      var out = at.garbage(tokens, dModel);
      int first = POSITIONS - seqLength;
      at.ops.embed(ids, new Embeddings(stored, positions), seqLength, first, out, at.stream);
      double[] expected = new double[tokens * dModel];
      double[] tokenRows = numbers(stored);
      double[] positionRows = numbers(positions);
      int[] idList = ids(ids);
      for (int i = 0; i < expected.length; i++) {
        int t = i / dModel;
        int d = i % dModel;
        expected[i] =
            tokenRows[idList[t] * dModel + d] + positionRows[(first + t % seqLength) * dModel + d];
      }
      assertClose("out", out, expected, Close.SUMS);
    }
  }

  @ParameterizedTest
  @CsvSource({"VECTOR, 0, 3, 5", "VECTOR, 3, 31, 130", "VECTOR, 2, 5, 64", "SCALAR, 3, 31, 130"})
  void addsUpTheGradientsOfTokensThatRepeat(Loops loops, int batch, int seqLength, int dModel) {
    try (Workplace at = new Workplace(loops)) {
      var ids = at.randomInts(VOCAB, batch, seqLength);
      var dOut = at.random((long) batch * seqLength, dModel);
      var dTable = at.random(VOCAB, dModel);
      var dPositions = at.random(POSITIONS, dModel);
      double[] expectedTable = numbers(dTable);
      double[] expectedPositions = numbers(dPositions);
      double[] d = numbers(dOut);
      int[] idList = ids(ids);
      for (int i = 0; i < d.length; i++) {
        int t = i / dModel;
        expectedTable[idList[t] * dModel + i % dModel] += d[i];
        expectedPositions[t % seqLength * dModel + i % dModel] += d[i];
      }
      at.ops.embedBackward(ids, dOut, seqLength, new Embeddings(dTable, dPositions), at.stream);
      assertClose("dTable", dTable, expectedTable, Close.SUMS);
      assertClose("dPositions", dPositions, expectedPositions, Close.SUMS);
    }
  }

  @Test
  void namesAnIdOutsideTheTable() {
    try (Workplace at = new Workplace(Loops.VECTOR)) {
      var tables = new Embeddings(at.zeros(VOCAB, 4), at.zeros(8, 4));
      assertThatThrownBy(
              () -> at.ops.embed(at.ints(3, 11), tables, 2, 0, at.zeros(2, 4), at.stream))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("embed: ids[1] is 11, must be at least 0 and below 11");
    }
  }
}
