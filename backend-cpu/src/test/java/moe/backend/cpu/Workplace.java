package moe.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import moe.backend.cpu.kernel.CpuThreads;
import moe.spi.device.DType;
import moe.spi.device.DenseOps;
import moe.spi.device.DeviceInfo;
import moe.spi.device.Shape;
import moe.spi.device.Tensor;

/// A backend whose tensors are views in the middle of larger ones. What surrounds them is NaN, so
/// that reading it shows, and must be untouched at the end.
public final class Workplace implements AutoCloseable {
  private static final int MARGIN = 37;
  private static final int SENTINEL = 0x7fc0_1234;
  private static final short HALF_SENTINEL = 0x7fc5;

  public final CpuBackend backend;
  public final CpuStream stream;
  public final DenseOps ops;
  private final List<CpuTensor> surroundings = new ArrayList<>();
  private final Random random = new Random(7);

  public Workplace(Loops loops, int threads) {
    backend =
        new CpuBackend(
            new DeviceInfo("cpu", 0, "test", 1L << 30), new CpuThreads(threads), loops.loops());
    stream = backend.newStream();
    ops = backend.dense();
  }

  public Workplace(Loops loops) {
    this(loops, 2);
  }

  /// An F32 tensor of zeros.
  public CpuTensor zeros(long... dims) {
    return tensor(DType.F32, Shape.of(dims));
  }

  /// An F32 tensor of garbage: what an operation must overwrite.
  public CpuTensor garbage(long... dims) {
    CpuTensor tensor = zeros(dims);
    for (int i = 0; i < tensor.shape().elements(); i++) {
      tensor.floats().array()[tensor.floats().at() + i] = Float.NaN;
    }
    return tensor;
  }

  /// An F32 tensor of normal random numbers.
  public CpuTensor random(long... dims) {
    CpuTensor tensor = zeros(dims);
    for (int i = 0; i < tensor.shape().elements(); i++) {
      tensor.floats().array()[tensor.floats().at() + i] = (float) random.nextGaussian();
    }
    return tensor;
  }

  /// An F32 tensor `[n]` of these numbers.
  public CpuTensor floats(double... values) {
    CpuTensor tensor = zeros(values.length);
    for (int i = 0; i < values.length; i++) {
      tensor.floats().array()[tensor.floats().at() + i] = (float) values[i];
    }
    return tensor;
  }

  /// An I32 tensor `[n]` of these numbers.
  public CpuTensor ints(int... values) {
    CpuTensor tensor = tensor(DType.I32, Shape.of(values.length));
    System.arraycopy(values, 0, tensor.ints().array(), tensor.ints().at(), values.length);
    return tensor;
  }

  /// An I32 tensor of random numbers from 0 to `bound − 1`.
  public CpuTensor randomInts(int bound, long... dims) {
    CpuTensor tensor = tensor(DType.I32, Shape.of(dims));
    for (int i = 0; i < tensor.shape().elements(); i++) {
      tensor.ints().array()[tensor.ints().at() + i] = random.nextInt(bound);
    }
    return tensor;
  }

  /// The numbers of an F32 tensor, rounded to bfloat16.
  public CpuTensor rounded(Tensor source) {
    CpuTensor tensor = tensor(DType.BF16, source.shape());
    double[] values = numbers(source);
    for (int i = 0; i < values.length; i++) {
      tensor.halves().array()[tensor.halves().at() + i] =
          (short) (Float.floatToRawIntBits((float) values[i]) >> 16);
    }
    return tensor;
  }

  /// The elements as doubles.
  public static double[] numbers(Tensor tensor) {
    CpuTensor cpu = (CpuTensor) tensor;
    double[] values = new double[(int) cpu.shape().elements()];
    for (int i = 0; i < values.length; i++) {
      values[i] =
          switch (cpu.type()) {
            case F32 -> cpu.floats().array()[cpu.floats().at() + i];
            case I32 -> cpu.ints().get(i);
            case BF16, F16 ->
                Float.intBitsToFloat(cpu.halves().array()[cpu.halves().at() + i] << 16);
          };
    }
    return values;
  }

  /// The elements as ints.
  public static int[] ids(Tensor tensor) {
    CpuTensor cpu = (CpuTensor) tensor;
    int[] ids = new int[(int) cpu.shape().elements()];
    System.arraycopy(cpu.ints().array(), cpu.ints().at(), ids, 0, ids.length);
    return ids;
  }

  public CpuTensor tensor(DType type, Shape shape) {
    CpuTensor around = backend.allocate(type, Shape.of(shape.elements() + 2L * MARGIN));
    surroundings.add(around);
    for (int i = 0; i < MARGIN; i++) {
      mark(around, i);
      mark(around, MARGIN + (int) shape.elements() + i);
    }
    return around.view(MARGIN, shape);
  }

  @Override
  public void close() {
    for (CpuTensor around : surroundings) {
      int after = (int) around.shape().elements() - MARGIN;
      for (int i = 0; i < MARGIN; i++) {
        assertThat(isMarked(around, i) && isMarked(around, after + i))
            .as("what surrounds %s is untouched", around)
            .isTrue();
      }
    }
    backend.close();
  }

  private static void mark(CpuTensor tensor, int index) {
    switch (tensor.type()) {
      case F32 -> tensor.floats().array()[index] = Float.intBitsToFloat(SENTINEL);
      case I32 -> tensor.ints().array()[index] = SENTINEL;
      case BF16, F16 -> tensor.halves().array()[index] = HALF_SENTINEL;
    }
  }

  private static boolean isMarked(CpuTensor tensor, int index) {
    return switch (tensor.type()) {
      case F32 -> Float.floatToRawIntBits(tensor.floats().array()[index]) == SENTINEL;
      case I32 -> tensor.ints().array()[index] == SENTINEL;
      case BF16, F16 -> tensor.halves().array()[index] == HALF_SENTINEL;
    };
  }
}
