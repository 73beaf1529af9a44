package moe.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import moe.backend.cpu.CpuBackendFactory;
import moe.spi.Availability;
import moe.spi.device.Backend;
import moe.spi.device.Compute;
import moe.spi.device.DType;
import moe.spi.device.DenseOps;
import moe.spi.device.DeviceInfo;
import moe.spi.device.DeviceStream;
import moe.spi.device.Shape;
import moe.spi.device.Tensor;
import org.jspecify.annotations.Nullable;

/// The CUDA backend beside the CPU backend, which is held to double precision by its own tests: the
/// same work on the same numbers. On a GPU if there is one, else on the emulation.
///
/// Tensors are views in the middle of larger ones. What surrounds them is NaN, so that reading it
/// shows, and must be untouched at the end.
public final class Twins implements AutoCloseable {
  /// Sums of float32 in another order: measured up to 2e-6 of the norm on these shapes, times 5.
  public static final double SUMS = 1e-5;

  private static final int SENTINEL = 0x7fc0_1234;

  public final Side cpu;
  public final Side cuda;
  private final Random random;
  private final int margin;
  private int kept = ~0; // bits of random numbers

  /// @param margin elements before each tensor: 32 keeps rows aligned, 37 does not
  public Twins(int margin) {
    this(margin, Compute.F32);
  }

  /// @param compute how the GPU multiplies
  public Twins(int margin, Compute compute) {
    this(margin, compute, 7);
  }

  /// @param seed of the random numbers
  public Twins(int margin, Compute compute, int seed) {
    this(margin, compute, seed, false);
  }

  /// @param format how the GPU multiplies
  public Twins(int margin, Format format, int seed) {
    this(margin, format.compute, seed, format.portable);
  }

  private Twins(int margin, Compute compute, int seed, boolean portable) {
    this.random = new Random(seed);
    this.margin = margin;
    this.cpu = new Side(cpuBackend());
    this.cuda = new Side(cudaBackend(compute, portable));
  }

  /// One backend with a stream.
  public static final class Side {
    public final Backend backend;
    public final DeviceStream stream;
    public final DenseOps ops;
    final List<Tensor> surroundings = new ArrayList<>();
    private final List<Tensor> views = new ArrayList<>();

    Side(Backend backend) {
      this.backend = backend;
      this.stream = backend.newStream();
      this.ops = backend.dense();
    }

    /// This side's half of a twin.
    public Tensor of(Twin twin) {
      return views.get(twin.index());
    }
  }

  /// A tensor on both sides.
  public record Twin(int index, DType type, Shape shape) {}

  private static Backend cpuBackend() {
    var factory = new CpuBackendFactory();
    return factory.open(new DeviceInfo("cpu", 0, "test", 1L << 30));
  }

  static Backend cudaBackend(Compute compute, boolean portable) {
    System.setProperty(CudaBackend.PORTABLE, Boolean.toString(portable));
    try {
      return cudaBackend(compute);
    } finally {
      System.clearProperty(CudaBackend.PORTABLE);
    }
  }

  /// The GPU of this machine, or its emulation; ends the test as skipped if there is neither.
  static Backend cudaBackend(Compute compute) {
    var factory = new CudaBackendFactory();
    return switch (factory.probe()) {
      case Availability.Available(List<DeviceInfo> devices) ->
          factory.open(devices.getFirst(), compute);
      case Availability.Unavailable(String reason, var _) -> {
        String missing = emulatorMissing();
        yield missing == null
            ? new CudaBackend(
                new DeviceInfo("cuda", 0, "emulated", 1L << 30),
                new EmulatedHopper(),
                name -> new byte[0],
                CudaBackendFactory.arithmetic(compute))
            : abort(reason + "; " + missing);
      }
    };
  }

  /// Whether there is no GPU here.
  static boolean emulated() {
    return new CudaBackendFactory().probe() instanceof Availability.Unavailable;
  }

  static @Nullable String emulatorMissing() {
    try {
      return Emulator.missing();
    } catch (IOException e) {
      return "the emulation cannot be built: " + e;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return "interrupted";
    }
  }

  /// Does the same on both sides.
  public void both(Consumer<Side> work) {
    work.accept(cpu);
    work.accept(cuda);
  }

  /// Lets random F32 be numbers of bf16 from now on, so that rounding them changes nothing.
  public void roundRandoms() {
    kept = 0xffff_0000;
  }

  /// F32 of normal random numbers.
  public Twin random(long... dims) {
    return random(1, dims);
  }

  /// F32 of normal random numbers of this deviation.
  public Twin random(double deviation, long... dims) {
    return floats(
        Shape.of(dims),
        i -> {
          float value = (float) (deviation * random.nextGaussian());
          return Float.intBitsToFloat(Float.floatToRawIntBits(value) & kept);
        });
  }

  /// F32 that an operation must overwrite.
  public Twin garbage(long... dims) {
    return floats(Shape.of(dims), i -> Float.NaN);
  }

  /// F32 of zeros.
  public Twin zeros(long... dims) {
    return floats(Shape.of(dims), i -> 0);
  }

  /// F32 of these.
  public Twin floats(Shape shape, IntToFloat value) {
    int[] bits = new int[(int) shape.elements()];
    for (int i = 0; i < bits.length; i++) {
      bits[i] = Float.floatToRawIntBits(value.apply(i));
    }
    return twin(DType.F32, shape, bits);
  }

  /// BF16 of normal random numbers.
  public Twin randomHalves(long... dims) {
    Shape shape = Shape.of(dims);
    int[] bits = new int[(int) shape.elements()];
    for (int i = 0; i < bits.length; i++) {
      bits[i] = Float.floatToRawIntBits((float) random.nextGaussian()) >>> 16;
    }
    return twin(DType.BF16, shape, bits);
  }

  /// I32 of these.
  public Twin ints(Shape shape, int... values) {
    return twin(DType.I32, shape, values);
  }

  /// I32 of random numbers below `bound`.
  public Twin randomInts(int bound, long... dims) {
    Shape shape = Shape.of(dims);
    return twin(DType.I32, shape, random.ints(shape.elements(), 0, bound).toArray());
  }

  /// A number of each index.
  public interface IntToFloat {
    float apply(int index);
  }

  private Twin twin(DType type, Shape shape, int[] elements) {
    int n = elements.length;
    both(side -> {
      Tensor around = side.backend.allocate(type, Shape.of(n + 2L * margin));
      side.surroundings.add(around);
      MemorySegment bytes = MemorySegment.ofArray(new byte[(int) around.byteSize()]);
      for (int i = 0; i < n + 2 * margin; i++) {
        int value = i < margin || i >= margin + n ? SENTINEL : elements[i - margin];
        if (type.bytes() == 4) {
          bytes.set(java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED, 4L * i, value);
        } else {
          int half = i < margin || i >= margin + n ? 0x7fc5 : value;
          bytes.set(java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED, 2L * i, (short) half);
        }
      }
      side.stream.upload(bytes, around);
      side.views.add(around.view(margin, shape));
    });
    return new Twin(cpu.views.size() - 1, type, shape);
  }

  /// The elements of a 32-bit tensor as bits.
  public static int[] bits(Side side, Tensor tensor) {
    int[] bits = new int[(int) tensor.shape().elements()];
    side.stream.download(tensor, MemorySegment.ofArray(bits));
    return bits;
  }

  /// Both sides hold the same integers.
  public void assertSame(String what, Twin twin) {
    assertThat(bits(cuda, cuda.of(twin))).as(what).containsExactly(bits(cpu, cpu.of(twin)));
  }

  /// Both sides hold the same numbers, by the norm of their difference.
  public void assertClose(String what, Twin twin, double tolerance) {
    assertThat(gap(twin).relative()).as("relative error of " + what).isLessThanOrEqualTo(tolerance);
  }

  /// How far the halves of a twin are apart.
  public Gap gap(Twin twin) {
    int[] expected = bits(cpu, cpu.of(twin));
    int[] actual = bits(cuda, cuda.of(twin));
    Gap gap = Gap.NONE;
    for (int i = 0; i < expected.length; i++) {
      gap = gap.plus(Float.intBitsToFloat(actual[i]), Float.intBitsToFloat(expected[i]));
    }
    return gap;
  }

  @Override
  public void close() {
    for (Tensor around : cuda.surroundings) {
      if (around.type().bytes() == 4) {
        int[] bits = bits(cuda, around);
        for (int i = 0; i < margin; i++) {
          assertThat(bits[i] == SENTINEL && bits[bits.length - 1 - i] == SENTINEL)
              .as("what surrounds %s is untouched", around)
              .isTrue();
        }
      }
    }
    cpu.backend.close();
    cuda.backend.close();
  }
}
