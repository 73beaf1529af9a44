package moe.backend.cuda;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;

/// What the kernels for compute capability 9.0 compute, on the host and in the plainest way: their
/// assembly runs nowhere else, but what Java hands them can be held to what their sources ask for.
///
/// @param others runs all other kernels
@SuppressWarnings("restricted") // memory outside Java is what it is for
record HopperKernels(Consumer<Launch> others) implements Consumer<Launch> {
  private static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

  /// The driver's description of an array in this host's own form.
  record Map(MemorySegment segment) {
    private static final int EXTENTS = 16;
    private static final int STRIDES = 48;
    private static final int BOX = 72;

    static void write(TensorMap map, MemorySegment target) {
      target.set(JAVA_INT, 0, map.rank());
      target.set(JAVA_INT, 4, map.type());
      target.set(JAVA_LONG, 8, map.address());
      MemorySegment.copy(map.extents(), 0, target, EXTENTS, 8L * map.rank());
      MemorySegment.copy(map.strides(), 0, target, STRIDES, 8L * (map.rank() - 1));
      MemorySegment.copy(map.box(), 0, target, BOX, 4L * map.rank());
      assertThat(map.address() % 16).as("alignment of %s", map).isZero();
      for (int i = 0; i < map.rank() - 1; i++) {
        assertThat(target.get(JAVA_LONG, STRIDES + 8L * i) % 16).as("a stride of %s", map).isZero();
      }
    }

    static Map at(MemorySegment arguments, int index) {
      return new Map(ALL.asSlice(arguments.getAtIndex(JAVA_LONG, index), TensorMap.BYTES));
    }

    void requireBox(int... box) {
      assertThat(segment.get(JAVA_INT, 0)).isEqualTo(box.length);
      assertThat(segment.asSlice(BOX, 4L * box.length).toArray(JAVA_INT)).containsExactly(box);
    }

    boolean isTf32() {
      return segment.get(JAVA_INT, 4) == 11;
    }

    /// An element of bf16 or TF32, 0 outside; positions from the contiguous dimension on.
    float get(long... position) {
      return get(false, position);
    }

    /// The same, or of binary16.
    float get(boolean f16, long... position) {
      long at = segment.get(JAVA_LONG, 8);
      for (int i = 0; i < position.length; i++) {
        if (position[i] < 0 || position[i] >= segment.get(JAVA_LONG, EXTENTS + 8L * i)) {
          return 0;
        }
        at +=
            position[i]
                * (i == 0 ? isTf32() ? 4 : 2 : segment.get(JAVA_LONG, STRIDES + 8L * (i - 1)));
      }
      return isTf32() ? tf32(ALL.get(JAVA_FLOAT, at)) : half(f16, at);
    }
  }

  /// The fields of a struct by value, in their order.
  private static final class Struct {
    private final MemorySegment memory;
    private long at;

    Struct(long address) {
      memory = ALL.asSlice(address, 256);
    }

    long pointer() {
      at += 8;
      return memory.get(JAVA_LONG, at - 8);
    }

    int number() {
      at += 4;
      return memory.get(JAVA_INT, at - 4);
    }
  }

  @Override
  public void accept(Launch launch) {
    Kernel kernel = launch.kernel();
    String name = kernel == null ? "" : kernel.name();
    MemorySegment arguments = ALL.asSlice(launch.arguments().address(), 24);
    if (name.equals("moe_experts_weight")) {
      weight(launch, arguments);
    } else if (name.startsWith("moe_experts_")) {
      product(launch, name, arguments);
    } else {
      others.accept(launch);
    }
  }

  private static void product(Launch launch, String name, MemorySegment arguments) {
    Map weights = Map.at(arguments, 0);
    Map rows = Map.at(arguments, 1);
    Struct args = new Struct(arguments.getAtIndex(JAVA_LONG, 2));
    long tokens = args.pointer();
    long assignments = args.pointer();
    long offsets = args.pointer();
    long bias = args.pointer();
    long gateBias = args.pointer();
    long out = args.pointer();
    long ticket = args.pointer();
    int experts = args.number();
    int topK = args.number();
    int in = args.number();
    int width = args.number();
    int tile = args.number();
    int splits = args.number();
    int activation = args.number();
    int slots = args.number();
    boolean upFirst = args.number() != 0;
    boolean f16 = name.startsWith("moe_experts_f16_");
    boolean tf32 = name.startsWith("moe_experts_tf32_");
    boolean gathers = name.contains("_up_") && !name.contains("_rows_");
    boolean gated = name.contains("gated");
    boolean transposed = name.startsWith("moe_experts_back");
    boolean floats = tf32 || name.contains("_f32_");
    assertThat(launch.block(0)).isEqualTo(384);
    assertThat(launch.grid(0) % 2).isZero();
    int most = Integer.parseInt(name.substring(name.lastIndexOf("_n") + 2));
    boolean fitted = experts == 1 && splits == 1 && most > 32 && !tf32 && !name.contains("_up_");
    if (fitted) { // to the rows of a dense product; the larger kernels only for what needs them
      assertThat(tile % 32).isZero();
      assertThat(tile).isBetween(most == 256 ? 160 : 32, most);
    } else {
      assertThat(tile).isEqualTo(most);
    }
    assertThat(ALL.get(JAVA_INT, ticket)).isZero();
    assertThat(weights.isTf32() == tf32 && rows.isTf32() == tf32).isTrue();
    assertThat(in % (tf32 ? 4 : 8) == 0 || transposed).isTrue();
    assertThat(width % 8 == 0 || floats).isTrue();
    assertThat(splits == 1 || floats).isTrue();
    if (gated) {
      weights.requireBox(64, 8, 2, 8);
    } else {
      weights.requireBox(tf32 ? 32 : 64, transposed ? 64 : 128);
    }
    rows.requireBox(tf32 ? 32 : 64, 32);
    for (int expert = 0; expert < experts; expert++) {
      int begin = offsets == 0 ? 0 : integer(offsets, expert);
      int end = offsets == 0 ? slots : integer(offsets, expert + 1);
      for (int row = begin; row < end; row++) {
        int source = gathers ? integer(assignments, row) / topK : row;
        for (int o = 0; o < width; o++) {
          int stages = Math.ceilDiv(in, 64);
          for (int split = 0; split < splits; split++) {
            int last = Math.min(in, stages * (split + 1) / splits * 64);
            double sum = 0;
            double gate = 0;
            long line = (long) expert * width + o;
            for (int k = stages * split / splits * 64; k < last; k++) {
              float x =
                  gathers
                      ? half(f16, tokens + 2 * ((long) source * in + k))
                      : rows.get(f16, k, source);
              if (gated) {
                sum += x * weights.get(f16, k, line % 8, upFirst ? 0 : 1, line / 8);
                gate += x * weights.get(f16, k, line % 8, upFirst ? 1 : 0, line / 8);
              } else {
                sum +=
                    x
                        * (transposed
                            ? weights.get(o, (long) expert * in + k)
                            : weights.get(f16, k, line));
              }
            }
            if (split == 0) {
              sum += bias == 0 ? 0 : real(bias, line);
              gate += gateBias == 0 ? 0 : real(gateBias, line);
            }
            double value = gated ? activated(activation, gate) * sum : activated(activation, sum);
            long to = ((long) split * slots + row) * width + o;
            if (floats) {
              ALL.set(JAVA_FLOAT, out + 4 * to, (float) value);
            } else {
              ALL.set(
                  JAVA_SHORT,
                  out + 2 * to,
                  f16 ? Float.floatToFloat16((float) value) : rounded((float) value));
            }
          }
        }
      }
    }
  }

  private static void weight(Launch launch, MemorySegment arguments) {
    Map dOut = Map.at(arguments, 0);
    Map x = Map.at(arguments, 1);
    Struct args = new Struct(arguments.getAtIndex(JAVA_LONG, 2));
    long offsets = args.pointer();
    long dWeight = args.pointer();
    int experts = args.number();
    int rows = args.number();
    int out = args.number();
    int in = args.number();
    boolean overwrites = args.number() == 1;
    assertThat(launch.block(0)).isEqualTo(384);
    assertThat(launch.sharedBytes()).isEqualTo(1024 + 4 * 49152 + 64 + 4 * (experts + 1));
    dOut.requireBox(64, 64);
    x.requireBox(64, 64);
    for (int expert = 0; expert < experts; expert++) {
      int begin = offsets == 0 ? 0 : integer(offsets, expert);
      int end = offsets == 0 ? rows : integer(offsets, expert + 1);
      for (int o = 0; o < out; o++) {
        for (int i = 0; i < in; i++) {
          double sum = 0;
          for (int row = begin; row < end; row++) {
            sum += dOut.get(o, row) * x.get(i, row);
          }
          long at = dWeight + 4 * (((long) expert * out + o) * in + i);
          ALL.set(JAVA_FLOAT, at, (overwrites ? 0 : ALL.get(JAVA_FLOAT, at)) + (float) sum);
        }
      }
    }
  }

  /// As `numeric.cuh` numbers them.
  private static double activated(int activation, double x) {
    return switch (activation) {
      case 0 -> x;
      case 1 -> 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
      case 2 -> x / (1 + Math.exp(-x));
      case 3 -> Math.max(0, x);
      default -> throw new AssertionError("activation " + activation);
    };
  }

  private static int integer(long address, long index) {
    return ALL.get(JAVA_INT, address + 4 * index);
  }

  private static float real(long address, long index) {
    return ALL.get(JAVA_FLOAT, address + 4 * index);
  }

  private static float half(boolean f16, long address) {
    return f16 ? Float.float16ToFloat(ALL.get(JAVA_SHORT, address)) : half(address);
  }

  private static float tf32(float value) {
    return Float.intBitsToFloat(Float.floatToRawIntBits(value) + 0x1000 & ~0x1fff);
  }

  private static float half(long address) {
    int low = ALL.get(JAVA_BYTE, address) & 0xff;
    int high = ALL.get(JAVA_BYTE, address + 1);
    return Float.intBitsToFloat((high << 8 | low) << 16);
  }

  /// To the nearest, ties to even.
  private static short rounded(float value) {
    int bits = Float.floatToRawIntBits(value);
    return (short) ((bits + 0x7fff + (bits >>> 16 & 1)) >>> 16);
  }
}
