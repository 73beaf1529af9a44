package moe.backend.cuda;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.util.List;
import moe.spi.device.BalanceGroup;
import moe.spi.device.DType;
import moe.spi.device.DeviceStream;
import moe.spi.device.Shape;
import moe.spi.device.Tensor;

/// The biases of balance of all layers; see `balance.cu`. A table on the device says where each
/// layer's lie.
final class Balance implements BalanceGroup {
  private static final Operation GROUP = new Operation("balance");
  private static final Kernel COUNT = new Kernel("balance", "moe_balance_count");
  private static final Kernel MOVE = new Kernel("balance", "moe_balance_move");
  private static final int BLOCK_SLOTS = 4096;
  private static final int ROW_BYTES = 32; // of a layer, as in balance.cu

  private final List<Member> members;
  private final float rate;
  private final long blocks; // of the layer with most slots
  private final MemorySegment rows;
  private final CudaTensor table; // I32 [layers, ROW_BYTES / 4]
  private final CudaTensor load; // I32 [sum of experts]
  private boolean known; // whether the device has the table

  Balance(CudaMemory memory, List<Member> members, float rate) {
    this.members = List.copyOf(members);
    this.rate = rate;
    this.rows = MemorySegment.ofArray(new int[members.size() * (ROW_BYTES / Integer.BYTES)]);
    int experts = 0;
    long most = 0;
    for (int layer = 0; layer < members.size(); layer++) {
      Member member = members.get(layer);
      write(layer, member, experts);
      experts = Math.addExact(experts, elements(member.bias()));
      most = Math.max(most, elements(member.expertIds()));
    }
    this.blocks = Math.ceilDiv(most, BLOCK_SLOTS);
    this.table =
        memory.allocate(DType.I32, Shape.of(members.size(), ROW_BYTES / (long) Integer.BYTES));
    boolean complete = false;
    try {
      this.load = memory.allocate(DType.I32, Shape.of(experts));
      complete = true;
    } finally {
      if (!complete) {
        table.close();
      }
    }
  }

  private static int elements(Tensor tensor) {
    return Math.toIntExact(tensor.shape().elements());
  }

  private void write(int layer, Member member, int firstLoad) {
    GROUP.ints("expertIds", member.expertIds(), elements(member.expertIds()));
    GROUP.floats("bias", member.bias(), elements(member.bias()));
    long at = (long) layer * ROW_BYTES;
    rows.set(JAVA_LONG_UNALIGNED, at, CudaTensor.of(member.expertIds()).address());
    rows.set(JAVA_LONG_UNALIGNED, at + Long.BYTES, CudaTensor.of(member.bias()).address());
    int[] numbers = {elements(member.expertIds()), elements(member.bias()), firstLoad, 0};
    MemorySegment.copy(numbers, 0, rows, JAVA_INT, at + 2L * Long.BYTES, numbers.length);
  }

  private void tell(CudaStream stream) {
    if (!known) {
      stream.upload(rows, table);
      known = true;
    }
  }

  @Override
  public void count(DeviceStream stream) {
    CudaStream queue = CudaStream.of(stream);
    tell(queue);
    queue.launch(COUNT, 512, blocks, members.size(), 1).reads(table).tensor(load).run();
  }

  @Override
  public void move(Tensor factor, DeviceStream stream) {
    GROUP.floats("factor", factor, 1);
    CudaStream queue = CudaStream.of(stream);
    tell(queue);
    Launch launch =
        queue
            .launch(MOVE, 256, members.size(), 1, 1)
            .reads(table)
            .tensor(load)
            .reads(factor)
            .real(rate);
    for (Member member : members) {
      launch.writes(member.bias());
    }
    launch.run();
  }

  @Override
  public void close() {
    table.close();
    load.close();
  }
}
