package moe.engine.model;

import java.lang.foreign.MemorySegment;
import moe.engine.metrics.Phase;
import moe.engine.metrics.PhaseClock;
import moe.spi.device.Activation;
import moe.spi.device.Capability;
import moe.spi.device.DenseOps;
import moe.spi.device.DeviceStream;
import moe.spi.device.Tensor;
import org.jspecify.annotations.Nullable;

/// The output head with its cross-entropy, some rows at a time: logits of a whole batch may not
/// fit.
final class LossHead {
  /// About how many logits are held at a time: 128 MiB.
  private static final long CHUNK_ELEMENTS = 1L << 25;

  /// The same on a device with memory of its own, 512 MiB: the gradient of the weights is read and
  /// written once a chunk.
  private static final long DEVICE_CHUNK_ELEMENTS = 1L << 27;

  /// Chunks have a multiple of so many rows, as products like them.
  private static final int ROWS = 32;

  private final DenseOps dense;
  private final PhaseClock clock;
  private final TrainedLinear weights; // [vocab, dModel]
  private final Tensor targets; // I32 [tokens]
  private final Tensor losses; // F32 [tokens]
  private final Chunk[] chunks;

  /// Views of some rows.
  private record Chunk(
      Tensor normed, Tensor logits, Tensor targets, Tensor losses, @Nullable Tensor dNormed) {}

  LossHead(Gpt2 model, Transformer transformer, PassBuffers buffers) {
    Tensor normed = transformer.normed();
    int tokens = Math.toIntExact(normed.shape().dim(0));
    int vocab = model.spec().vocab();
    long elements =
        model.backend().capabilities().contains(Capability.HOST_VISIBLE_MEMORY)
            ? CHUNK_ELEMENTS
            : DEVICE_CHUNK_ELEMENTS;
    int most = Math.clamp(elements / vocab, 1, tokens);
    int even = Math.ceilDiv(tokens, Math.ceilDiv(tokens, most));
    int rows = Math.min(tokens, Math.ceilDiv(even, ROWS) * ROWS);
    this.dense = model.dense();
    this.clock = model.clock();
    this.weights = model.head();
    this.targets = buffers.ownIndexes(tokens);
    this.losses = buffers.own(tokens);
    Tensor logits = buffers.own(rows, vocab);
    this.chunks = new Chunk[Math.ceilDiv(tokens, rows)];
    for (int i = 0; i < chunks.length; i++) {
      long from = (long) i * rows;
      long to = Math.min(tokens, from + rows);
      chunks[i] =
          new Chunk(
              normed.slice(from, to),
              logits.slice(0, to - from),
              targets.slice(from, to),
              losses.slice(from, to),
              buffers.training() ? transformer.dNormed().slice(from, to) : null);
    }
  }

  /// Fills `losses`.
  void loss(DeviceStream stream) {
    for (Chunk chunk : chunks) {
      logits(chunk, stream);
      dense.crossEntropy(chunk.logits(), chunk.targets(), chunk.losses(), 1, null, stream);
    }
    clock.lap(Phase.HEAD);
  }

  /// Fills `losses` and the gradient of the normed rows, adds to the gradient of the weights.
  void lossAndBackward(float gradientScale, DeviceStream stream) {
    for (Chunk chunk : chunks) {
      dense.linearCrossEntropy(
          chunk.normed(),
          weights.weights(),
          chunk.targets(),
          chunk.losses(),
          gradientScale,
          chunk.logits(),
          MoeFeedForward.inTraining(chunk.dNormed()),
          weights.trained(),
          stream);
    }
    clock.lap(Phase.HEAD);
  }

  private void logits(Chunk chunk, DeviceStream stream) {
    dense.linear(chunk.normed(), weights.weights(), Activation.NONE, chunk.logits(), stream);
  }

  /// Copies the logits of all rows to the host.
  ///
  /// @param target F32 `[tokens, vocab]`
  void download(MemorySegment target, DeviceStream stream) {
    long offset = 0;
    for (Chunk chunk : chunks) {
      logits(chunk, stream);
      long bytes = chunk.logits().byteSize();
      stream.download(chunk.logits(), target.asSlice(offset, bytes));
      offset += bytes;
    }
  }

  Tensor targets() {
    return targets;
  }

  Tensor losses() {
    return losses;
  }
}
