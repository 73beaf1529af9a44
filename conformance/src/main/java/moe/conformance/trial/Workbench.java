package moe.conformance.trial;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import moe.conformance.reference.Bounded;
import moe.spi.device.Backend;
import moe.spi.device.Capability;
import moe.spi.device.DType;
import moe.spi.device.DenseOps;
import moe.spi.device.DeviceInfo;
import moe.spi.device.DeviceStream;
import moe.spi.device.Shape;
import moe.spi.device.Tensor;

/// Where one rule tries a backend.
///
/// Every tensor lies in the middle of a larger one, outputs filled with NaN. At the end of each
/// trial nothing but the outputs may have changed.
public final class Workbench implements AutoCloseable {
  /// 256 bytes: rules on alignment move away from it.
  private static final int MARGIN = 64;

  private final Session session;
  private final String rule;
  private final DeviceStream stream;
  private final List<Guarded> tensors = new ArrayList<>();
  private final List<AutoCloseable> owned = new ArrayList<>();
  private int margin = MARGIN;
  private Feature feature = Feature.forward("");

  /// A bench for one rule.
  ///
  /// @param rule the number of the rule in hand
  public Workbench(Session session, String rule) {
    this.session = session;
    this.rule = rule;
    this.stream = session.backend().newStream();
  }

  public Subject subject() {
    return session.subject();
  }

  public DeviceInfo device() {
    return session.device();
  }

  public Backend backend() {
    return session.backend();
  }

  public DenseOps dense() {
    return backend().dense();
  }

  public DeviceStream stream() {
    return stream;
  }

  public boolean claims(Capability capability) {
    return backend().capabilities().contains(capability);
  }

  /// Lets tensors begin so many elements after where the device put them.
  public void startTensorsAt(int element) {
    margin = element;
  }

  /// Runs one case, then checks that nothing but outputs was written, and closes its tensors.
  ///
  /// @param label the case, as messages name it: sizes and what is special
  public void trial(Feature tried, String label, Runnable body) {
    feature = tried;
    try {
      body.run();
      for (Guarded tensor : tensors) {
        tensor.check(stream);
      }
    } catch (NotClaimed | Skipped e) {
      throw e;
    } catch (RuntimeException | LinkageError | AssertionError e) {
      session.ledger().enter(tried, new Standing.Wrong(rule));
      String what = e instanceof Violation ? e.getMessage() : "threw " + e;
      throw new Violation(
          "%s%s: %s".formatted(tried.name(), label.isEmpty() ? "" : ", " + label, what), e);
    } finally {
      release();
    }
  }

  /// An F32 input `[dims]`.
  public Tensor floats(String name, double[] values, long... dims) {
    return tensor(name, DType.F32, values, false, dims);
  }

  /// A BF16 input `[dims]`.
  public Tensor halves(String name, double[] values, long... dims) {
    return tensor(name, DType.BF16, values, false, dims);
  }

  /// An I32 input `[dims]`.
  public Tensor ints(String name, int[] values, long... dims) {
    double[] doubles = new double[values.length];
    for (int i = 0; i < values.length; i++) {
      doubles[i] = values[i];
    }
    return tensor(name, DType.I32, doubles, false, dims);
  }

  /// An F32 tensor that is read and written.
  public Tensor accumulator(String name, double[] before, long... dims) {
    return tensor(name, DType.F32, before, true, dims);
  }

  /// An F32 output of garbage.
  public Tensor output(String name, long... dims) {
    return garbage(name, DType.F32, dims);
  }

  /// An I32 output of garbage.
  public Tensor indexes(String name, long... dims) {
    return garbage(name, DType.I32, dims);
  }

  /// A tensor with these elements.
  public Tensor tensor(String name, DType type, double[] values, boolean output, long... dims) {
    Shape shape = Shape.of(dims);
    if (values.length != shape.elements()) {
      throw new IllegalArgumentException(
          "%s: %d values for shape %s".formatted(name, values.length, shape));
    }
    MemorySegment host = Host.sentinels(type, values.length + 2 * margin);
    for (int i = 0; i < values.length; i++) {
      Host.set(host, type, margin + i, values[i]);
    }
    return guard(name, type, shape, host, output);
  }

  private Tensor garbage(String name, DType type, long... dims) {
    Shape shape = Shape.of(dims);
    int elements = Math.toIntExact(shape.elements()) + 2 * margin;
    return guard(name, type, shape, Host.sentinels(type, elements), true);
  }

  private Tensor guard(String name, DType type, Shape shape, MemorySegment host, boolean output) {
    Tensor owner = backend().allocate(type, Shape.of(shape.elements() + 2L * margin));
    owned.add(owner);
    stream.upload(host, owner);
    Tensor view = owner.view(margin, shape);
    tensors.add(new Guarded(name, owner, view, host, (long) margin * type.bytes(), output));
    return view;
  }

  /// Writes the elements of a tensor that is not an input.
  public void write(Tensor tensor, double[] values) {
    MemorySegment host = Host.like(tensor.type(), values.length);
    for (int i = 0; i < values.length; i++) {
      Host.set(host, tensor.type(), i, values[i]);
    }
    stream.upload(host, tensor);
  }

  /// Closes this at the end of the trial, before the tensors.
  public <T extends AutoCloseable> T own(T closeable) {
    owned.add(closeable);
    return closeable;
  }

  /// The elements of a tensor.
  public double[] read(Tensor tensor) {
    MemorySegment host = Host.like(tensor.type(), Math.toIntExact(tensor.shape().elements()));
    stream.download(tensor, host);
    double[] values = new double[Math.toIntExact(tensor.shape().elements())];
    for (int i = 0; i < values.length; i++) {
      values[i] = Host.get(host, tensor.type(), i);
    }
    return values;
  }

  /// The elements of an I32 tensor.
  public int[] readInts(Tensor tensor) {
    int[] values = new int[Math.toIntExact(tensor.shape().elements())];
    stream.download(tensor, MemorySegment.ofArray(values));
    return values;
  }

  /// Fails unless the tensor is as near to the reference as its feature must be.
  public void compare(String what, Tensor actual, Bounded expected) {
    double tolerance = tolerance();
    double error = Comparison.largestError(what, read(actual), actual.shape(), expected, tolerance);
    session.ledger().enter(feature, new Standing.Right(error, tolerance));
  }

  /// Fails unless all elements are these numbers.
  public void compareExactly(String what, Tensor actual, double[] expected) {
    Bounded exact = Bounded.of(expected);
    double error = Comparison.largestError(what, read(actual), actual.shape(), exact, 0);
    session.ledger().enter(feature, new Standing.Right(error, tolerance()));
  }

  /// The largest error that is tolerated of the feature in hand.
  public double tolerance() {
    return Tolerance.of(feature, session.precision()).element();
  }

  /// Fails unless all elements are these numbers, and zeros have their signs.
  public void compareBits(String what, Tensor actual, double[] expected) {
    compareExactly(what, actual, expected);
    sameBits(what, read(actual), expected);
  }

  /// Fails unless these are the same numbers, zeros with their signs.
  public void sameBits(String what, double[] actual, double[] expected) {
    for (int i = 0; i < Math.max(actual.length, expected.length); i++) {
      if (Double.doubleToLongBits(actual[i]) != Double.doubleToLongBits(expected[i])) {
        throw new Violation(
            "%s: element %d is %s, must be %s".formatted(what, i, actual[i], expected[i]));
      }
    }
  }

  /// Fails unless all elements of an I32 tensor are these.
  public void compareExactly(String what, Tensor actual, int[] expected) {
    double[] doubles = new double[expected.length];
    for (int i = 0; i < expected.length; i++) {
      doubles[i] = expected[i];
    }
    compareExactly(what, actual, doubles);
  }

  /// Fails unless no element of an output was written.
  public void untouched(String what, Tensor output) {
    int elements = Math.toIntExact(output.shape().elements());
    MemorySegment now = Host.like(output.type(), elements);
    stream.download(output, now);
    long mismatch = now.mismatch(Host.sentinels(output.type(), elements));
    if (mismatch >= 0) {
      throw new Violation(
          "%s was written: element %d".formatted(what, mismatch / output.type().bytes()));
    }
  }

  /// Notes that the backend does not offer the feature in hand.
  public void refused(String reason) {
    session.ledger().enter(feature, new Standing.Refused(reason));
  }

  /// Notes that the backend does not offer this feature.
  public void refused(Feature which, String reason) {
    session.ledger().enter(which, new Standing.Refused(reason));
  }

  private void release() {
    tensors.clear();
    List<AutoCloseable> last = owned.reversed();
    try {
      for (AutoCloseable closeable : last) {
        closeable.close();
      }
    } catch (Exception e) {
      throw new Violation("closing threw " + e, e);
    } finally {
      owned.clear();
    }
  }

  @Override
  public void close() {
    release();
    stream.close();
  }
}
