package moe.engine.bench;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import moe.engine.config.BlockPath;
import moe.engine.model.MoeBlock;
import moe.engine.model.Replay;
import moe.spi.device.DeviceStream;
import moe.spi.device.Tensor;

/// One path of a block, ready to be timed.
final class BlockRun implements Contest.Entrant, AutoCloseable {
  private final BlockPath path;
  private final MoeBlock block;
  private final Tensor result;
  private final int experts;
  private final boolean backward;
  private final Replay timed;

  /// @param result what the paths must agree on: the output, or the gradient of the input
  BlockRun(
      BlockPath path,
      MoeBlock block,
      Tensor result,
      int experts,
      boolean backward,
      DeviceStream stream) {
    this.path = path;
    this.block = block;
    this.result = result;
    this.experts = experts;
    this.backward = backward;
    this.timed =
        new Replay(
            stream,
            () -> {
              if (backward) {
                block.backward(stream);
              } else {
                block.forward(stream);
              }
            });
  }

  BlockPath path() {
    return path;
  }

  @Override
  public void prepare(DeviceStream stream) {
    if (backward) {
      block.forward(stream);
    }
  }

  @Override
  public void run(DeviceStream stream) {
    timed.run();
  }

  @Override
  public void close() {
    timed.close();
  }

  /// What the last run computed.
  float[] result(DeviceStream stream) {
    float[] values = new float[Math.toIntExact(result.shape().elements())];
    stream.download(result, MemorySegment.ofArray(values));
    return values;
  }

  /// See [BlockReference#error]; of the last run, which was a forward.
  double error(BlockReference reference, Tensor in) {
    return reference.error(in, block.routing(), result);
  }

  /// How many experts the last run sent tokens to.
  int touchedExperts(DeviceStream stream) {
    Tensor ids = block.routing().expertIds();
    int[] values = new int[Math.toIntExact(ids.shape().elements())];
    stream.download(ids, MemorySegment.ofArray(values));
    return (int) Arrays.stream(values).filter(id -> id >= 0 && id < experts).distinct().count();
  }
}
