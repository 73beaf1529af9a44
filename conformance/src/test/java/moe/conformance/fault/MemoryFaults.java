package moe.conformance.fault;

import static moe.conformance.fault.Broken.backend;
import static moe.conformance.fault.Broken.dense;
import static moe.conformance.fault.Broken.set;
import static moe.conformance.fault.Broken.stream;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Set;
import java.util.function.BiFunction;
import moe.conformance.trial.Subject;
import moe.spi.device.Activation;
import moe.spi.device.Backend;
import moe.spi.device.DType;
import moe.spi.device.DenseOps;
import moe.spi.device.DeviceStream;
import moe.spi.device.LinearWeights;
import moe.spi.device.MemoryUse;
import moe.spi.device.Shape;
import moe.spi.device.Tensor;

/// Memory and streams that are wrong.
@SuppressWarnings({"ReferenceEquality", "UnnecessaryLongToIntConversion"}) // wrong on purpose
final class MemoryFaults {
  private MemoryFaults() {}

  static List<Broken> all() {
    return List.of(
        backend(
            "MEM-1",
            "new tensors are not cleared",
            real ->
                new ForwardingBackend(real) {
                  @Override
                  public Tensor allocate(DType type, Shape shape) {
                    Tensor tensor = real.allocate(type, shape);
                    tensor.segment().fill((byte) 1);
                    return tensor;
                  }
                }),
        stream(
            "MEM-2",
            "the last bytes never reach native memory",
            real ->
                new ForwardingStream(real) {
                  @Override
                  public void download(Tensor source, MemorySegment target) {
                    super.download(source, target);
                    if (target.isNative()) {
                      target.asSlice(target.byteSize() - 4).fill((byte) 0);
                    }
                  }
                },
            "MEM-15"),
        stream(
            "MEM-3",
            "too short an upload is taken",
            real ->
                new ForwardingStream(real) {
                  @Override
                  public void upload(MemorySegment source, Tensor target) {
                    long elements = Math.min(source.byteSize() / 4, target.shape().elements());
                    super.upload(source, target.view(0, Shape.of(elements)));
                  }
                }),
        tensor(
            "MEM-4",
            "a view of a view begins where the owner does",
            (real, owner) -> new Rooted(real, owner)),
        stream(
            "MEM-5",
            "zero leaves the last element",
            real ->
                new ForwardingStream(real) {
                  @Override
                  public void zero(Tensor target) {
                    long n = target.shape().elements();
                    super.zero(target.view(0, Shape.of(Math.max(n - 1, 0))));
                  }
                },
            "MEM-11",
            "MEM-14"),
        backend("MEM-6", "closed tensors stay in the count", NeverGivenBack::new, "MEM-9"),
        backend(
            "MEM-7",
            "sizes overflow",
            real ->
                new ForwardingBackend(real) {
                  @Override
                  public Tensor allocate(DType type, Shape shape) {
                    return real.allocate(type, Shape.of((int) shape.elements()))
                        .view(0, shape.elements() > 1L << 31 ? Shape.of(0) : shape);
                  }
                },
            "MEM-6",
            "MEM-9"),
        dense(
            "MEM-8",
            "rows that are not aligned are read from a little before",
            ops ->
                new ForwardingDenseOps(ops) {
                  @Override
                  public void linear(
                      Tensor x,
                      LinearWeights weights,
                      Activation activation,
                      Tensor y,
                      DeviceStream stream) {
                    real.linear(x, weights, activation, y, stream);
                    if (x.segment().address() % 16 != 0) {
                      set(y, 0, 0);
                    }
                  }
                }),
        backend(
            "MEM-9",
            "each stream takes memory for good",
            real ->
                new ForwardingBackend(real) {
                  @Override
                  public DeviceStream newStream() {
                    real.allocate(DType.F32, Shape.of(16));
                    return real.newStream();
                  }
                }),
        tensor("MEM-10", "a segment is a copy", (real, _) -> new Copied(real)),
        stream(
            "MEM-11",
            "time goes back",
            real ->
                new ForwardingStream(real) {
                  @Override
                  public long timeNanos() {
                    return -super.timeNanos();
                  }
                }),
        dense("MEM-12", "work is done on one thread alone", OneThread::new),
        backend("MEM-13", "a product takes scratch memory", Taking::new),
        stream(
            "MEM-14",
            "a closed stream works on",
            real ->
                new ForwardingStream(real) {
                  @Override
                  public void close() {}
                }));
  }

  /// A backend whose tensors are changed; it has no stages.
  private static Broken tensor(
      String rule, String what, BiFunction<Tensor, Tensor, Tensor> change, String... others) {
    Broken.Wrapping factory =
        new Broken.Wrapping(real ->
            new ForwardingBackend(real) {
              @Override
              public Tensor allocate(DType type, Shape shape) {
                Tensor owner = real.allocate(type, shape);
                return change.apply(owner, owner);
              }

              @Override
              public DeviceStream newStream() {
                return new ForwardingStream(real.newStream());
              }

              @Override
              public DenseOps dense() {
                return new UnwrappingOps(real.dense());
              }
            });
    return new Broken(rule, what, new Subject(factory, List.of()), Set.of(others));
  }

  private static final class Rooted extends ForwardingTensor {
    private final Tensor owner;

    Rooted(Tensor real, Tensor owner) {
      super(real);
      this.owner = owner;
    }

    @Override
    public Tensor view(long firstElement, Shape window) {
      Tensor checked = real.view(firstElement, window);
      return new Rooted(real == owner ? checked : owner.view(firstElement, window), owner);
    }
  }

  private static final class Copied extends ForwardingTensor {
    Copied(Tensor real) {
      super(real);
    }

    @Override
    public Tensor view(long firstElement, Shape window) {
      return new Copied(real.view(firstElement, window));
    }

    @Override
    public MemorySegment segment() {
      return Broken.copy(real);
    }
  }

  private static final class NeverGivenBack extends ForwardingBackend {
    private long taken;

    NeverGivenBack(Backend real) {
      super(real);
    }

    @Override
    public Tensor allocate(DType type, Shape shape) {
      Tensor tensor = real.allocate(type, shape);
      taken += tensor.byteSize();
      return tensor;
    }

    @Override
    public MemoryUse memory() {
      return new MemoryUse(real.memory().limitBytes(), taken);
    }
  }

  private static final class OneThread extends ForwardingDenseOps {
    private final Thread owner = Thread.currentThread();

    OneThread(DenseOps real) {
      super(real);
    }

    @Override
    public void linear(
        Tensor x, LinearWeights weights, Activation activation, Tensor y, DeviceStream stream) {
      if (Thread.currentThread() != owner) {
        throw new IllegalStateException("another thread");
      }
      real.linear(x, weights, activation, y, stream);
    }
  }

  private static final class Taking extends ForwardingBackend {
    Taking(Backend real) {
      super(real);
    }

    @Override
    public DenseOps dense() {
      Backend backend = real;
      return new ForwardingDenseOps(real.dense()) {
        @Override
        public void linear(
            Tensor x, LinearWeights weights, Activation activation, Tensor y, DeviceStream stream) {
          backend.allocate(DType.F32, Shape.of(64));
          real.linear(x, weights, activation, y, stream);
        }
      };
    }
  }
}
