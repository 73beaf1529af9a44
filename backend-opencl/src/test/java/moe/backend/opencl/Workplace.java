package moe.backend.opencl;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import moe.spi.device.DType;
import moe.spi.device.DenseOps;
import moe.spi.device.Shape;
import moe.spi.device.Tensor;
import org.jspecify.annotations.Nullable;

/// A stream whose tensors are views in the middle of larger ones. What surrounds them is NaN, so
/// that reading it shows, and must be untouched at the end.
public final class Workplace implements AutoCloseable {
  private static final int MARGIN = 37;
  private static final int SENTINEL = 0x7fc0_1234;

  /// The one in use: `numbers` and `ids` read through its stream.
  private static @Nullable Workplace current;

  public final OpenClBackend backend;
  public final OpenClStream stream;
  public final DenseOps ops;
  private final List<OpenClTensor> surroundings = new ArrayList<>();
  private final Random random = new Random(7);

  public Workplace(Devices devices) {
    this(devices.shared());
  }

  /// @param backend closed by who gives it
  public Workplace(OpenClBackend backend) {
    this.backend = backend;
    stream = backend.newStream();
    ops = backend.dense();
    current = this;
  }

  /// An F32 tensor of zeros.
  public OpenClTensor zeros(long... dims) {
    return filled(0, dims);
  }

  /// An F32 tensor of garbage: what an operation must overwrite.
  public OpenClTensor garbage(long... dims) {
    return filled(Float.NaN, dims);
  }

  /// An F32 tensor of normal random numbers.
  public OpenClTensor random(long... dims) {
    OpenClTensor tensor = tensor(DType.F32, Shape.of(dims));
    double[] values = new double[(int) tensor.shape().elements()];
    Arrays.setAll(values, _ -> random.nextGaussian());
    fill(tensor, values);
    return tensor;
  }

  /// An F32 tensor `[n]` of these numbers.
  public OpenClTensor floats(double... values) {
    OpenClTensor tensor = tensor(DType.F32, Shape.of(values.length));
    fill(tensor, values);
    return tensor;
  }

  /// An I32 tensor `[n]` of these numbers.
  public OpenClTensor ints(int... values) {
    OpenClTensor tensor = tensor(DType.I32, Shape.of(values.length));
    stream.upload(MemorySegment.ofArray(values), tensor);
    return tensor;
  }

  /// An I32 tensor of random numbers from 0 to `bound − 1`.
  public OpenClTensor randomInts(int bound, long... dims) {
    OpenClTensor tensor = tensor(DType.I32, Shape.of(dims));
    int[] values = random.ints(tensor.shape().elements(), 0, bound).toArray();
    stream.upload(MemorySegment.ofArray(values), tensor);
    return tensor;
  }

  /// Replaces all elements of an F32 tensor.
  public void fill(Tensor tensor, double... values) {
    float[] floats = new float[values.length];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = (float) values[i];
    }
    stream.upload(MemorySegment.ofArray(floats), tensor);
  }

  /// Replaces one element.
  public void set(Tensor tensor, long index, double value) {
    Tensor one = tensor.view(index, Shape.of(1));
    switch (tensor.type()) {
      case F32 -> fill(one, value);
      case I32 -> stream.upload(MemorySegment.ofArray(new int[] {(int) value}), one);
      case BF16, F16 -> throw new IllegalArgumentException("no such tensors");
    }
  }

  /// The elements as doubles.
  public static double[] numbers(Tensor tensor) {
    if (tensor.type() == DType.I32) {
      return Arrays.stream(ids(tensor)).asDoubleStream().toArray();
    }
    float[] floats = new float[(int) tensor.shape().elements()];
    read(tensor, MemorySegment.ofArray(floats));
    double[] values = new double[floats.length];
    Arrays.setAll(values, i -> floats[i]);
    return values;
  }

  /// The elements as ints.
  public static int[] ids(Tensor tensor) {
    int[] ids = new int[(int) tensor.shape().elements()];
    read(tensor, MemorySegment.ofArray(ids));
    return ids;
  }

  public OpenClTensor tensor(DType type, Shape shape) {
    OpenClTensor around = backend.allocate(type, Shape.of(shape.elements() + 2L * MARGIN));
    surroundings.add(around);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment marks = arena.allocate(MARGIN * ValueLayout.JAVA_INT.byteSize(), 4);
      for (int i = 0; i < MARGIN; i++) {
        marks.setAtIndex(ValueLayout.JAVA_INT, i, SENTINEL);
      }
      stream.upload(marks, around.view(0, Shape.of(MARGIN)));
      stream.upload(marks, around.view(MARGIN + shape.elements(), Shape.of(MARGIN)));
    }
    return around.view(MARGIN, shape);
  }

  @Override
  public void close() {
    try {
      for (OpenClTensor around : surroundings) {
        long after = around.shape().elements() - MARGIN;
        assertMarked(around, 0);
        assertMarked(around, after);
      }
    } finally {
      surroundings.forEach(OpenClTensor::close);
      stream.close();
      current = null;
    }
  }

  private OpenClTensor filled(float value, long... dims) {
    OpenClTensor tensor = tensor(DType.F32, Shape.of(dims));
    double[] values = new double[(int) tensor.shape().elements()];
    Arrays.fill(values, value);
    fill(tensor, values);
    return tensor;
  }

  private static void assertMarked(OpenClTensor around, long from) {
    int[] bits = new int[MARGIN];
    read(around.view(from, Shape.of(MARGIN)), MemorySegment.ofArray(bits));
    assertThat(bits).as("what surrounds %s is untouched", around).containsOnly(SENTINEL);
  }

  private static void read(Tensor tensor, MemorySegment to) {
    if (current == null) {
      throw new IllegalStateException("no workplace is open");
    }
    current.stream.download(tensor, to);
  }
}
