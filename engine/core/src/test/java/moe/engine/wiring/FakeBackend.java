package moe.engine.wiring;

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

/// A backend that computes nothing and knows whether it is closed.
final class FakeBackend implements Backend {
  private final DeviceInfo device;
  private boolean closed;

  FakeBackend(DeviceInfo device) {
    this.device = device;
  }

  boolean closed() {
    return closed;
  }

  @Override
  public String name() {
    return device.backend();
  }

  @Override
  public DeviceInfo device() {
    return device;
  }

  @Override
  public Set<Capability> capabilities() {
    return Set.of();
  }

  @Override
  public Tensor allocate(DType type, Shape shape) {
    throw new UnsupportedOperationException();
  }

  @Override
  public DeviceStream newStream() {
    throw new UnsupportedOperationException();
  }

  @Override
  public DenseOps dense() {
    throw new UnsupportedOperationException();
  }

  @Override
  public double measureFlops() {
    throw new UnsupportedOperationException();
  }

  @Override
  public double measureReadBandwidth() {
    throw new UnsupportedOperationException();
  }

  @Override
  public MemoryUse memory() {
    return new MemoryUse(0, 0);
  }

  @Override
  public void close() {
    closed = true;
  }
}
