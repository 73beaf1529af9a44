package moe.conformance.fault;

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

/// A backend that is another one; a fault overrides one method.
class ForwardingBackend implements Backend {
  final Backend real;

  ForwardingBackend(Backend real) {
    this.real = real;
  }

  /// The backend behind, for stages that know its class.
  static Backend behind(Backend backend) {
    return backend instanceof ForwardingBackend forwarding ? forwarding.real : backend;
  }

  @Override
  public String name() {
    return real.name();
  }

  @Override
  public DeviceInfo device() {
    return real.device();
  }

  @Override
  public Set<Capability> capabilities() {
    return real.capabilities();
  }

  @Override
  public Tensor allocate(DType type, Shape shape) {
    return real.allocate(type, shape);
  }

  @Override
  public DeviceStream newStream() {
    return real.newStream();
  }

  @Override
  public DenseOps dense() {
    return real.dense();
  }

  @Override
  public double measureFlops() {
    return real.measureFlops();
  }

  @Override
  public double measureReadBandwidth() {
    return real.measureReadBandwidth();
  }

  @Override
  public MemoryUse memory() {
    return real.memory();
  }

  @Override
  public void close() {
    real.close();
  }
}
