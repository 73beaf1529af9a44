package moe.backend.cuda;

import java.util.List;
import moe.spi.device.AttentionShape;
import moe.spi.device.BalanceGroup;
import moe.spi.device.DeviceStream;
import moe.spi.device.Embeddings;
import moe.spi.device.KvCache;
import moe.spi.device.ParameterGroup;
import moe.spi.device.RecordableOps;
import moe.spi.device.Tensor;

/// What a captured step takes from the device instead of the host.
final class StepOps implements RecordableOps {
  private static final Operation ADVANCE = new Operation("advance");
  private static final Operation LIMIT = new Operation("limit");
  private static final Kernel ADVANCE_ONE = new Kernel("step", "moe_step_advance");
  private static final Kernel LIMIT_NORM = new Kernel("step", "moe_step_limit");

  private final CudaMemory memory;

  /// @param memory for what groups of parameters keep
  StepOps(CudaMemory memory) {
    this.memory = memory;
  }

  @Override
  public void embed(
      Tensor ids,
      Embeddings tables,
      int seqLength,
      Tensor firstPosition,
      Tensor out,
      DeviceStream stream) {
    TokenOps.embed(CudaStream.of(stream), ids, tables, seqLength, 0, firstPosition, out);
  }

  @Override
  public void attentionCached(
      Tensor qkv,
      KvCache cache,
      Tensor position,
      AttentionShape shape,
      Tensor out,
      DeviceStream stream) {
    AttentionOps.cached(CudaStream.of(stream), qkv, cache, 0, position, shape, out);
  }

  @Override
  public void advance(Tensor position, Tensor value, Tensor history, DeviceStream stream) {
    ADVANCE.ints("position", position, 1);
    ADVANCE.ints("value", value, 1);
    ADVANCE.ints("history", history, history.shape().elements());
    CudaStream.of(stream)
        .launch(ADVANCE_ONE, 32, 1, 1, 1)
        .dependent()
        .tensor(position)
        .tensor(value)
        .tensor(history)
        .number(history.shape().elements())
        .run();
  }

  @Override
  public void limit(
      Tensor squares,
      Tensor losses,
      float limit,
      Tensor factor,
      Tensor schedule,
      DeviceStream stream) {
    long gradients = squares.shape().elements();
    long tokens = losses.shape().elements();
    LIMIT.floats("squares", squares, gradients);
    LIMIT.floats("losses", losses, tokens);
    LIMIT.floats("factor", factor, 1);
    LIMIT.floats("schedule", schedule, 3);
    CudaStream.of(stream)
        .launch(LIMIT_NORM, 1024, 1, 1, 1)
        .tensor(squares)
        .tensor(losses)
        .tensor(factor)
        .tensor(schedule)
        .number(gradients)
        .number(tokens)
        .real(limit)
        .run();
  }

  @Override
  public ParameterGroup group(List<ParameterGroup.Member> members) {
    return new Parameters(memory, members);
  }

  @Override
  public BalanceGroup balance(List<BalanceGroup.Member> members, float rate) {
    return new Balance(memory, members, rate);
  }
}
