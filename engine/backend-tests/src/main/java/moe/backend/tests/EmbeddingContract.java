package moe.backend.tests;

import moe.spi.device.Embeddings;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Embedding against a reference in double precision.
public abstract class EmbeddingContract implements Place {
  private static final int VOCAB = 11;
  private static final int POSITIONS = 40;

  @ParameterizedTest
  @CsvSource({
    "MAIN, 0, 3, 5",
    "MAIN, 2, 1, 5",
    "MAIN, 3, 31, 130",
    "MAIN, 2, 33, 64",
    "OTHER, 3, 31, 130",
    "OTHER, 2, 33, 64"
  })
  void addsTokenAndPosition(Way way, int batch, int seqLength, int dModel) {
    addsTokenAndPosition(way, batch, seqLength, dModel, false);
  }

  /// Against the sums.
  ///
  /// @param rounded whether the table is stored in bfloat16
  protected final void addsTokenAndPosition(
      Way way, int batch, int seqLength, int dModel, boolean rounded) {
    try (Workplace at = open(way)) {
      int tokens = batch * seqLength;
      var ids = at.randomInts(VOCAB, batch, seqLength);
      var table = at.random(VOCAB, dModel);
      var stored = rounded ? at.rounded(table) : table;
      var positions = at.random(POSITIONS, dModel);
      var out = at.garbage(tokens, dModel);
      int first = POSITIONS - seqLength;
      at.ops.embed(ids, new Embeddings(stored, positions), seqLength, first, out, at.stream);
      double[] expected = new double[tokens * dModel];
      double[] tokenRows = at.numbers(stored);
      double[] positionRows = at.numbers(positions);
      int[] idList = at.ids(ids);
      for (int i = 0; i < expected.length; i++) {
        int t = i / dModel;
        int d = i % dModel;
        expected[i] =
            tokenRows[idList[t] * dModel + d] + positionRows[(first + t % seqLength) * dModel + d];
      }
      at.assertClose("out", out, expected, Close.SUMS);
    }
  }

  @ParameterizedTest
  @CsvSource({"MAIN, 0, 3, 5", "MAIN, 3, 31, 130", "MAIN, 2, 5, 64", "OTHER, 3, 31, 130"})
  void addsUpTheGradientsOfTokensThatRepeat(Way way, int batch, int seqLength, int dModel) {
    try (Workplace at = open(way)) {
      var ids = at.randomInts(VOCAB, batch, seqLength);
      var dOut = at.random((long) batch * seqLength, dModel);
      var dTable = at.random(VOCAB, dModel);
      var dPositions = at.random(POSITIONS, dModel);
      double[] expectedTable = at.numbers(dTable);
      double[] expectedPositions = at.numbers(dPositions);
      double[] d = at.numbers(dOut);
      int[] idList = at.ids(ids);
      for (int i = 0; i < d.length; i++) {
        int t = i / dModel;
        expectedTable[idList[t] * dModel + i % dModel] += d[i];
        expectedPositions[t % seqLength * dModel + i % dModel] += d[i];
      }
      at.ops.embedBackward(ids, dOut, seqLength, new Embeddings(dTable, dPositions), at.stream);
      at.assertClose("dTable", dTable, expectedTable, Close.SUMS);
      at.assertClose("dPositions", dPositions, expectedPositions, Close.SUMS);
    }
  }
}
