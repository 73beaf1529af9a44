package moe.backend.opencl;

import moe.backend.opencl.kernel.ClKernel;
import moe.backend.opencl.kernel.Kernels;
import moe.backend.opencl.kernel.Region;
import moe.backend.opencl.kernel.WorkQueue;
import moe.spi.device.Embeddings;
import moe.spi.device.Tensor;

/// Embedding and its gradient.
final class EmbeddingOps {
  private static final Operation FORWARD = new Operation("embed");
  private static final Operation BACKWARD = new Operation("embedBackward");

  private final WorkQueue queue;
  private final ClKernel forward;
  private final ClKernel tokens;
  private final ClKernel positions;

  EmbeddingOps(Kernels kernels, WorkQueue queue) {
    this.queue = queue;
    forward = kernels.kernel("embed", "embed");
    tokens = kernels.kernel("embed", "embed_tokens");
    positions = kernels.kernel("embed", "embed_positions");
  }

  void forward(Tensor ids, Embeddings tables, int seqLength, int firstPosition, Tensor out) {
    long rows = ids.shape().elements();
    long width = out.shape().lastDim();
    long vocab = tables.tokens().shape().rows();
    long length = tables.positions().shape().rows();
    FORWARD.require(
        firstPosition >= 0 && seqLength >= 0 && (long) firstPosition + seqLength <= length,
        "seqLength",
        seqLength,
        "must end, from firstPosition on, within the rows of positions",
        length);
    FORWARD.require(
        rows == 0 || seqLength > 0, "seqLength", seqLength, "must be at least 1 for rows", rows);
    forward
        .begin()
        .region(FORWARD.ints("ids", ids, rows))
        .region(FORWARD.matrix("tokens", tables.tokens(), vocab, width))
        .whole((int) vocab)
        .region(FORWARD.matrix("positions", tables.positions(), length, width))
        .whole(seqLength)
        .whole(firstPosition)
        .whole((int) width)
        .region(FORWARD.matrix("out", out, rows, width))
        .rows(queue, rows);
  }

  void backward(Tensor ids, Tensor dOut, int seqLength, Embeddings gradients) {
    long rows = ids.shape().elements();
    long width = dOut.shape().lastDim();
    long vocab = gradients.tokens().shape().rows();
    long length = gradients.positions().shape().rows();
    BACKWARD.require(
        seqLength >= (rows == 0 ? 0 : 1) && seqLength <= length,
        "seqLength",
        seqLength,
        "must be between 1 and the rows of positions",
        length);
    Region dRows = BACKWARD.matrix("dOut", dOut, rows, width);
    Region dPositions =
        BACKWARD.matrix("gradients.positions", gradients.positions(), length, width);
    tokens
        .begin()
        .region(BACKWARD.ints("ids", ids, rows))
        .region(dRows)
        .whole((int) rows)
        .whole((int) width)
        .whole((int) vocab)
        .region(BACKWARD.matrix("gradients.tokens", gradients.tokens(), vocab, width))
        .columns(queue, (int) width);
    positions
        .begin()
        .region(dRows)
        .whole((int) rows)
        .whole(seqLength)
        .whole((int) width)
        .region(dPositions)
        .rows(queue, Math.min(rows, seqLength));
  }
}
