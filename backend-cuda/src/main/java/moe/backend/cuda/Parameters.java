package moe.backend.cuda;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.util.Comparator;
import java.util.List;
import moe.spi.device.AdamW;
import moe.spi.device.DType;
import moe.spi.device.DeviceStream;
import moe.spi.device.ParameterGroup;
import moe.spi.device.Shape;
import moe.spi.device.Tensor;

/// Parameters as one; see `parameters.cu`. A table on the device says where each of them lies.
final class Parameters implements ParameterGroup {
  private static final Operation GROUP = new Operation("group");
  private static final Operation SUM = new Operation("sumOfSquares");
  private static final Operation ADAM_W = new Operation("adamW");
  private static final Kernel ZERO = new Kernel("parameters", "moe_parameters_zero");
  private static final Kernel SQUARES = new Kernel("parameters", "moe_parameters_squares");
  private static final Kernel MOVE = new Kernel("parameters", "moe_parameters_adamw");
  private static final Kernel SUM_OF_PARTS = new Kernel("sum_of_squares", "moe_sum_of_parts");
  private static final int BLOCK_ELEMENTS = 16384;
  private static final int ROW_INTS = 18; // of a member, as in parameters.cu
  private static final int LEAST_OWED = 1 << 16; // elements of a gradient
  private static final int HALF = 4; // the place of the rounded copy among a member's pointers

  private final List<Member> members;
  private final int blocks;
  private final int zeroedBlocks; // of those that owe no zeros, which come first
  private final int[] rows;
  private final MemorySegment rowsSegment;
  private final CudaTensor table; // I32 [members, ROW_INTS]
  private final CudaTensor parts; // F32 [blocks, 2], the memory of F64 [blocks]
  private boolean known; // whether the device has the table

  Parameters(CudaMemory memory, List<Member> members) {
    this.members = members.stream().sorted(Comparator.comparing(Parameters::owesZeros)).toList();
    this.rows = new int[members.size() * ROW_INTS];
    this.rowsSegment = MemorySegment.ofArray(rows);
    int blocks = 0;
    int zeroed = 0;
    for (int i = 0; i < members.size(); i++) {
      Member member = this.members.get(i);
      check(member);
      write(i, member, blocks);
      blocks =
          Math.addExact(
              blocks, Math.toIntExact(Math.ceilDiv(elements(member), (long) BLOCK_ELEMENTS)));
      zeroed = owesZeros(member) ? zeroed : blocks;
    }
    this.blocks = blocks;
    this.zeroedBlocks = zeroed;
    this.table = memory.allocate(DType.I32, Shape.of(members.size(), ROW_INTS));
    boolean complete = false;
    try {
      this.parts = memory.allocate(DType.F32, Shape.of(blocks, 2));
      complete = true;
    } finally {
      if (!complete) {
        table.close();
      }
    }
  }

  /// Whether a gradient is large, so that the first product of a step should overwrite it instead
  /// of reading zeros.
  private static boolean owesZeros(Member member) {
    CudaTensor gradient = CudaTensor.of(member.gradient());
    return gradient.isWhole() && gradient.shape().elements() >= LEAST_OWED;
  }

  private static long elements(Member member) {
    return member.parameter().shape().elements();
  }

  private static void check(Member member) {
    long n = elements(member);
    GROUP.floats("parameter", member.parameter(), n);
    GROUP.floats("gradient", member.gradient(), n);
    GROUP.floats("first", member.state().first(), n);
    GROUP.floats("second", member.state().second(), n);
  }

  private void write(int index, Member member, int firstBlock) {
    long at = (long) index * ROW_INTS * Integer.BYTES;
    Tensor[] tensors = {
      member.parameter(), member.gradient(), member.state().first(), member.state().second()
    };
    boolean vector = true;
    for (int i = 0; i < tensors.length; i++) {
      long address = CudaTensor.of(tensors[i]).address();
      vector &= address % 16 == 0;
      pointer(index, i, address);
    }
    rowsSegment.set(JAVA_LONG_UNALIGNED, at + 5L * Long.BYTES, elements(member));
    AdamW settings = member.settings();
    float[] numbers = {
      settings.beta1(), settings.beta2(), settings.epsilon(), settings.weightDecay()
    };
    for (int i = 0; i < numbers.length; i++) {
      rowsSegment.set(JAVA_FLOAT, at + 6 * Long.BYTES + (long) i * Float.BYTES, numbers[i]);
    }
    rowsSegment.set(JAVA_INT, at + 6 * Long.BYTES + 4L * Float.BYTES, firstBlock);
    rowsSegment.set(JAVA_INT, at + 6 * Long.BYTES + 5L * Float.BYTES, vector ? 1 : 0);
  }

  private boolean pointer(int index, int place, long address) {
    long at = (long) index * ROW_INTS * Integer.BYTES + (long) place * Long.BYTES;
    boolean changes = rowsSegment.get(JAVA_LONG_UNALIGNED, at) != address;
    rowsSegment.set(JAVA_LONG_UNALIGNED, at, address);
    return changes;
  }

  /// Copies in bf16 come with the first product that needs them, so the table may change until a
  /// step was made; then it stays, and a step can be recorded.
  private void tell(CudaStream stream) {
    if (!known) {
      stream.upload(rowsSegment, table);
      known = true;
    }
  }

  @Override
  public void zeroGradients(DeviceStream stream) {
    CudaStream queue = CudaStream.of(stream);
    tell(queue);
    Launch launch = queue.launch(ZERO, 256, zeroedBlocks, 1, 1).reads(table).number(members.size());
    for (Member member : members) {
      if (owesZeros(member)) {
        CudaTensor.of(member.gradient()).oweZeros();
      } else {
        launch.writes(member.gradient());
      }
    }
    launch.run();
  }

  private void settle(CudaStream queue) {
    for (Member member : members) {
      queue.settle(CudaTensor.of(member.gradient()));
    }
  }

  @Override
  public void sumOfSquares(Tensor out, DeviceStream stream) {
    SUM.floats("out", out, 1);
    CudaStream queue = CudaStream.of(stream);
    tell(queue);
    settle(queue);
    queue
        .launch(SQUARES, 256, blocks, 1, 1)
        .reads(table)
        .tensor(parts)
        .number(members.size())
        .run();
    queue.launch(SUM_OF_PARTS, 1024, 1, 1, 1).reads(parts).tensor(out).number(blocks).run();
  }

  @Override
  public void adamW(Tensor factor, Tensor schedule, DeviceStream stream) {
    ADAM_W.floats("factor", factor, 1);
    ADAM_W.floats("schedule", schedule, 3);
    CudaStream queue = CudaStream.of(stream);
    for (int i = 0; i < members.size(); i++) {
      // Rounded copies are written in the same pass, so they are never old in a captured step.
      CudaTensor parameter = CudaTensor.of(members.get(i).parameter());
      if (pointer(i, HALF, Halves.writable(queue, parameter))) {
        known = false;
      }
    }
    tell(queue);
    settle(queue);
    Launch launch =
        queue
            .launch(MOVE, 256, blocks, 1, 1)
            .reads(table)
            .reads(factor)
            .reads(schedule)
            .number(members.size());
    for (Member member : members) {
      launch.writes(member.state().first());
      launch.writes(member.state().second());
    }
    launch.run();
    for (Member member : members) {
      Halves.follow(queue, CudaTensor.of(member.parameter()));
    }
    queue.wroteWeights();
  }

  @Override
  public void close() {
    table.close();
    parts.close();
  }
}
