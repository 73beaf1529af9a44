package moe.conformance.rule;

import java.lang.foreign.MemorySegment;
import java.util.Set;
import moe.spi.device.Backend;
import moe.spi.device.Capability;
import moe.spi.device.DType;
import moe.spi.device.DenseOps;
import moe.spi.device.DeviceInfo;
import moe.spi.device.DeviceStream;
import moe.spi.device.MemoryUse;
import moe.spi.device.Shape;
import moe.spi.device.Tensor;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;

/// A backend that nobody knows, with its tensors and streams: what a confused caller may hand over.
final class Foreign implements Backend {
  @Override
  public String name() {
    return "foreign";
  }

  @Override
  public DeviceInfo device() {
    return new DeviceInfo("foreign", 0, "nothing", 1);
  }

  @Override
  public Set<Capability> capabilities() {
    return Set.of();
  }

  @Override
  public Tensor allocate(DType type, Shape shape) {
    return new ForeignTensor(type, shape);
  }

  @Override
  public DeviceStream newStream() {
    return new ForeignStream();
  }

  @Override
  public DenseOps dense() {
    throw nothing();
  }

  @Override
  public double measureFlops() {
    return 1;
  }

  @Override
  public double measureReadBandwidth() {
    return 1;
  }

  @Override
  public MemoryUse memory() {
    return new MemoryUse(1, 0);
  }

  @Override
  public void close() {}

  private static MoeException nothing() {
    return new MoeException(ErrorKind.UNSUPPORTED, "a foreign backend computes nothing");
  }

  private record ForeignTensor(DType type, Shape shape) implements Tensor {
    @Override
    public Tensor view(long firstElement, Shape window) {
      return new ForeignTensor(type, window);
    }

    @Override
    public MemorySegment segment() {
      throw nothing();
    }

    @Override
    public void close() {}
  }

  private static final class ForeignStream implements DeviceStream {
    @Override
    public void upload(MemorySegment source, Tensor target) {
      throw nothing();
    }

    @Override
    public void download(Tensor source, MemorySegment target) {
      throw nothing();
    }

    @Override
    public void copy(Tensor source, Tensor target) {
      throw nothing();
    }

    @Override
    public void zero(Tensor target) {
      throw nothing();
    }

    @Override
    public void synchronize() {}

    @Override
    public long timeNanos() {
      return 0;
    }

    @Override
    public void close() {}
  }
}
