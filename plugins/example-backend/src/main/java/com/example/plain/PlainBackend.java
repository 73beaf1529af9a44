package com.example.plain;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import moe.spi.device.Backend;
import moe.spi.device.Capability;
import moe.spi.device.DType;
import moe.spi.device.DenseOps;
import moe.spi.device.DeviceInfo;
import moe.spi.device.MemoryUse;
import moe.spi.device.Shape;
import moe.spi.error.ErrorKind;
import moe.spi.error.MoeException;

/// An open device: hands out tensors and streams, and counts what it handed out.
final class PlainBackend implements Backend {
  private static final long MOST_ELEMENTS = Integer.MAX_VALUE - 8;

  private final DeviceInfo device;
  private final DenseOps dense = new PlainDenseOps();
  private final AtomicLong allocated = new AtomicLong();
  private final Set<PlainTensor> open = ConcurrentHashMap.newKeySet();
  private final Set<PlainStream> streams = ConcurrentHashMap.newKeySet();
  private volatile boolean closed;

  @SuppressWarnings("UnusedVariable") // what is stored here is computed, before the clock is read
  private volatile double sink;

  PlainBackend(DeviceInfo device) {
    this.device = device;
  }

  @Override
  public String name() {
    return PlainBackendFactory.NAME;
  }

  @Override
  public DeviceInfo device() {
    return device;
  }

  /// Claim what is true: the kit holds you to it.
  @Override
  public Set<Capability> capabilities() {
    return Set.of(Capability.HOST_VISIBLE_MEMORY, Capability.DETERMINISTIC);
  }

  @Override
  public PlainTensor allocate(DType type, Shape shape) {
    checkOpen();
    if (type != DType.F32 && type != DType.I32) {
      throw new MoeException(
          ErrorKind.UNSUPPORTED, "example: no tensors of type %s; use F32".formatted(type));
    }
    long free = memory().freeBytes();
    if (shape.elements() > MOST_ELEMENTS || shape.elements() * type.bytes() > free) {
      throw new MoeException(
          ErrorKind.MEMORY,
          "example: no room for a tensor %s %s; %,d bytes are free. Make the batch smaller."
              .formatted(type, shape, free));
    }
    PlainTensor tensor = new PlainTensor(type, shape, this::closed);
    open.add(tensor);
    allocated.addAndGet(tensor.byteSize());
    return tensor;
  }

  private void closed(PlainTensor tensor) {
    if (open.remove(tensor)) {
      allocated.addAndGet(-tensor.byteSize());
    }
  }

  @Override
  public PlainStream newStream() {
    checkOpen();
    PlainStream stream = new PlainStream(streams::remove);
    streams.add(stream);
    return stream;
  }

  @Override
  public DenseOps dense() {
    return dense;
  }

  /// One multiply-add after the other for a moment.
  @Override
  public double measureFlops() {
    int steps = 10_000_000;
    long start = System.nanoTime();
    float x = 1;
    for (int i = 0; i < steps; i++) {
      x = x * 0.999f + 0.001f;
    }
    sink = x;
    double seconds = (System.nanoTime() - start) * 1e-9;
    return 2.0 * steps / Math.max(seconds, 1e-9);
  }

  /// One pass over memory larger than caches.
  @Override
  public double measureReadBandwidth() {
    int[] memory = new int[1 << 24];
    long start = System.nanoTime();
    int sum = 0;
    for (int value : memory) {
      sum += value;
    }
    sink = sum;
    double seconds = (System.nanoTime() - start) * 1e-9;
    return 4.0 * memory.length / Math.max(seconds, 1e-9);
  }

  @Override
  public MemoryUse memory() {
    return new MemoryUse(device.memoryBytes(), allocated.get());
  }

  @Override
  public void close() {
    closed = true;
    streams.forEach(PlainStream::close);
    open.forEach(PlainTensor::close);
  }

  private void checkOpen() {
    if (closed) {
      throw new IllegalStateException("this backend is closed");
    }
  }
}
