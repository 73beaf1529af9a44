package moe.backend.cpu;

import moe.backend.cpu.kernel.CpuThreads;
import moe.backend.cpu.kernel.Embedding;
import moe.backend.cpu.kernel.EmbeddingBackward;
import moe.backend.cpu.kernel.InnerLoops;
import moe.backend.cpu.kernel.Ints;
import moe.spi.device.Embeddings;
import moe.spi.device.Tensor;

/// Embedding and its gradient.
final class EmbeddingOps {
  private static final Operation FORWARD = new Operation("embed");
  private static final Operation BACKWARD = new Operation("embedBackward");

  private final Embedding forward;
  private final EmbeddingBackward backward;

  EmbeddingOps(CpuThreads threads, InnerLoops loops) {
    forward = new Embedding(threads, loops);
    backward = new EmbeddingBackward(threads, loops);
  }

  void forward(Tensor ids, Embeddings tables, int seqLength, int firstPosition, Tensor out) {
    long rows = ids.shape().elements();
    long width = out.shape().lastDim();
    long vocab = tables.tokens().shape().rows();
    long positions = tables.positions().shape().rows();
    FORWARD.require(
        firstPosition >= 0 && seqLength >= 0 && (long) firstPosition + seqLength <= positions,
        "seqLength",
        seqLength,
        "must end, from firstPosition on, within the rows of positions",
        positions);
    FORWARD.require(
        rows == 0 || seqLength > 0, "seqLength", seqLength, "must be at least 1 for rows", rows);
    forward
        .tables(
            FORWARD.weight("tokens", tables.tokens(), vocab, width),
            FORWARD.matrix("positions", tables.positions(), positions, width),
            (int) width)
        .run(
            FORWARD.indexes("ids", ids, rows, 0, vocab),
            (int) rows,
            seqLength,
            firstPosition,
            FORWARD.matrix("out", out, rows, width));
  }

  void backward(Tensor ids, Tensor dOut, int seqLength, Embeddings gradients) {
    long rows = ids.shape().elements();
    long width = dOut.shape().lastDim();
    long vocab = gradients.tokens().shape().rows();
    long positions = gradients.positions().shape().rows();
    BACKWARD.require(
        seqLength >= (rows == 0 ? 0 : 1) && seqLength <= positions,
        "seqLength",
        seqLength,
        "must be between 1 and the rows of positions",
        positions);
    Ints checked = BACKWARD.indexes("ids", ids, rows, 0, vocab);
    var dRows = BACKWARD.matrix("dOut", dOut, rows, width);
    var dTokens = BACKWARD.matrix("gradients.tokens", gradients.tokens(), vocab, width);
    var dPositions =
        BACKWARD.matrix("gradients.positions", gradients.positions(), positions, width);
    backward.tokens(checked, dRows, (int) rows, (int) width, dTokens);
    backward.positions(dRows, (int) rows, seqLength, (int) width, dPositions);
  }
}
