package moe.backend.opencl;

import static moe.backend.opencl.Close.assertClose;
import static moe.backend.opencl.Workplace.ids;
import static moe.backend.opencl.Workplace.numbers;
import static org.assertj.core.api.Assertions.assertThat;

import moe.spi.device.Embeddings;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/// Embedding against a reference in double precision.
class EmbeddingTest {
  private static final int VOCAB = 11;
  private static final int POSITIONS = 40;

  @ParameterizedTest
  @CsvSource({
    "PROCESSOR, 0, 3, 5", "PROCESSOR, 2, 1, 5", "PROCESSOR, 3, 31, 130",
    "PROCESSOR, 2, 33, 64", "GPU, 3, 31, 130", "GPU, 2, 33, 64"
  })
  void addsTokenAndPosition(Devices devices, int batch, int seqLength, int dModel) {
    try (Workplace at = new Workplace(devices)) {
      int tokens = batch * seqLength;
      var ids = at.randomInts(VOCAB, batch, seqLength);
      var table = at.random(VOCAB, dModel);
      var positions = at.random(POSITIONS, dModel);
      var out = at.garbage(tokens, dModel);
      int first = POSITIONS - seqLength;
      at.ops.embed(ids, new Embeddings(table, positions), seqLength, first, out, at.stream);
      double[] expected = new double[tokens * dModel];
      double[] tokenRows = numbers(table);
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
  @CsvSource({
    "PROCESSOR, 0, 3, 5",
    "PROCESSOR, 3, 31, 130",
    "PROCESSOR, 2, 5, 64",
    "GPU, 3, 31, 130"
  })
  void addsUpTheGradientsOfTokensThatRepeat(Devices devices, int batch, int seqLength, int dModel) {
    try (Workplace at = new Workplace(devices)) {
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

  @ParameterizedTest
  @EnumSource
  void showsAnIdOutsideTheTableAsNaN(Devices devices) {
    try (Workplace at = new Workplace(devices)) {
      var tables = new Embeddings(at.zeros(VOCAB, 4), at.zeros(8, 4));
      var out = at.zeros(3, 4);
      at.ops.embed(at.ints(3, VOCAB, -1), tables, 3, 0, out, at.stream);
      double[] nan = {0, 0, 0, 0, Double.NaN, Double.NaN, Double.NaN, Double.NaN};
      assertThat(numbers(out.slice(0, 2))).containsExactly(nan);
      assertThat(numbers(out.slice(2, 3))).containsOnly(Double.NaN);
      // and its gradient belongs to nobody
      var gradients = new Embeddings(at.zeros(VOCAB, 4), at.zeros(8, 4));
      at.ops.embedBackward(at.ints(3, VOCAB, -1), at.random(3, 4), 3, gradients, at.stream);
      assertThat(numbers(gradients.tokens().slice(0, 3))).containsOnly(0);
      assertThat(numbers(gradients.tokens().slice(4, VOCAB))).containsOnly(0);
    }
  }
}
