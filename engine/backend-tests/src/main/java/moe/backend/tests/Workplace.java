package moe.backend.tests;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import moe.spi.device.Backend;
import moe.spi.device.DType;
import moe.spi.device.DenseOps;
import moe.spi.device.DeviceStream;
import moe.spi.device.Shape;
import moe.spi.device.Tensor;

/// A stream whose tensors are views in the middle of larger ones. What surrounds them is NaN, so
/// that reading it shows, and must be untouched at the end.
public final class Workplace implements AutoCloseable {
  private static final int MARGIN = 37;
  private static final int SENTINEL = 0x7fc0_1234;
  private static final short HALF_SENTINEL = 0x7fc5;

  public final Backend backend;
  public final DeviceStream stream;
  public final DenseOps ops;
  final Stages stages;
  private final Runnable onClose;
  private final List<Tensor> surroundings = new ArrayList<>();
  private final Random random = new Random(7);

  /// @param onClose called last; closes the backend, say
  public Workplace(Backend backend, Stages stages, Runnable onClose) {
    this.backend = backend;
    this.stages = stages;
    this.onClose = onClose;
    stream = backend.newStream();
    ops = backend.dense();
  }

  /// An F32 tensor of zeros.
  public Tensor zeros(long... dims) {
    Tensor tensor = tensor(DType.F32, Shape.of(dims));
    stream.zero(tensor);
    return tensor;
  }

  /// An F32 tensor of garbage: what an operation must overwrite.
  public Tensor garbage(long... dims) {
    Tensor tensor = tensor(DType.F32, Shape.of(dims));
    double[] values = new double[elements(tensor)];
    Arrays.fill(values, Double.NaN);
    fill(tensor, values);
    return tensor;
  }

  /// An F32 tensor of normal random numbers.
  public Tensor random(long... dims) {
    Tensor tensor = tensor(DType.F32, Shape.of(dims));
    double[] values = new double[elements(tensor)];
    Arrays.setAll(values, _ -> random.nextGaussian());
    fill(tensor, values);
    return tensor;
  }

  /// An F32 tensor `[n]` of these numbers.
  public Tensor floats(double... values) {
    Tensor tensor = tensor(DType.F32, Shape.of(values.length));
    fill(tensor, values);
    return tensor;
  }

  /// An I32 tensor `[n]` of these numbers.
  public Tensor ints(int... values) {
    Tensor tensor = tensor(DType.I32, Shape.of(values.length));
    stream.upload(MemorySegment.ofArray(values), tensor);
    return tensor;
  }

  /// An I32 tensor of random numbers from 0 to `bound − 1`.
  public Tensor randomInts(int bound, long... dims) {
    Tensor tensor = tensor(DType.I32, Shape.of(dims));
    int[] values = random.ints(elements(tensor), 0, bound).toArray();
    stream.upload(MemorySegment.ofArray(values), tensor);
    return tensor;
  }

  /// The numbers of an F32 tensor, cut to bfloat16.
  public Tensor rounded(Tensor source) {
    Tensor tensor = tensor(DType.BF16, source.shape());
    double[] values = numbers(source);
    short[] halves = new short[values.length];
    for (int i = 0; i < halves.length; i++) {
      halves[i] = (short) (Float.floatToRawIntBits((float) values[i]) >> 16);
    }
    stream.upload(MemorySegment.ofArray(halves), tensor);
    return tensor;
  }

  /// A tensor of whatever is there.
  public Tensor tensor(DType type, Shape shape) {
    Tensor around = backend.allocate(type, Shape.of(shape.elements() + 2L * MARGIN));
    surroundings.add(around);
    MemorySegment marks = marks(type);
    stream.upload(marks, around.view(0, Shape.of(MARGIN)));
    stream.upload(marks, around.view(MARGIN + shape.elements(), Shape.of(MARGIN)));
    return around.view(MARGIN, shape);
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
      case BF16, F16 -> throw new IllegalArgumentException("no test writes into halves");
    }
  }

  /// The elements as doubles.
  public double[] numbers(Tensor tensor) {
    double[] values = new double[elements(tensor)];
    switch (tensor.type()) {
      case F32 -> {
        float[] floats = new float[values.length];
        stream.download(tensor, MemorySegment.ofArray(floats));
        Arrays.setAll(values, i -> floats[i]);
      }
      case I32 -> {
        int[] ints = ids(tensor);
        Arrays.setAll(values, i -> ints[i]);
      }
      case BF16 -> {
        short[] halves = new short[values.length];
        stream.download(tensor, MemorySegment.ofArray(halves));
        Arrays.setAll(values, i -> Float.intBitsToFloat(halves[i] << 16));
      }
      case F16 -> throw new IllegalArgumentException("no test reads binary16");
    }
    return values;
  }

  /// The elements of an I32 tensor.
  public int[] ids(Tensor tensor) {
    int[] ids = new int[elements(tensor)];
    stream.download(tensor, MemorySegment.ofArray(ids));
    return ids;
  }

  /// See [Close].
  public void assertClose(String name, Tensor actual, double[] expected, double tolerance) {
    Close.assertClose(name, numbers(actual), expected, tolerance);
  }

  @Override
  public void close() {
    try {
      for (Tensor around : surroundings) {
        assertMarked(around, 0);
        assertMarked(around, around.shape().elements() - MARGIN);
      }
    } finally {
      surroundings.forEach(Tensor::close);
      stream.close();
      onClose.run();
    }
  }

  private void assertMarked(Tensor around, long from) {
    MemorySegment found = marks(around.type()).fill((byte) 0);
    stream.download(around.view(from, Shape.of(MARGIN)), found);
    assertThat(found.mismatch(marks(around.type())))
        .as("the first byte before or behind %s that something wrote", around)
        .isEqualTo(-1);
  }

  private static MemorySegment marks(DType type) {
    if (type.bytes() == Short.BYTES) {
      short[] marks = new short[MARGIN];
      Arrays.fill(marks, HALF_SENTINEL);
      return MemorySegment.ofArray(marks);
    }
    int[] marks = new int[MARGIN];
    Arrays.fill(marks, SENTINEL);
    return MemorySegment.ofArray(marks);
  }

  private static int elements(Tensor tensor) {
    return Math.toIntExact(tensor.shape().elements());
  }
}
