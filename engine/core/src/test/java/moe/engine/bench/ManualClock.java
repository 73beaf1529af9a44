package moe.engine.bench;

import java.lang.foreign.MemorySegment;
import moe.spi.device.DeviceStream;
import moe.spi.device.Tensor;

/// A stream whose time passes only when the test says so.
final class ManualClock implements DeviceStream {
  long nanos;

  @Override
  public long timeNanos() {
    return nanos;
  }

  @Override
  public void upload(MemorySegment source, Tensor target) {
    throw new AssertionError("not part of this test");
  }

  @Override
  public void download(Tensor source, MemorySegment target) {
    throw new AssertionError("not part of this test");
  }

  @Override
  public void copy(Tensor source, Tensor target) {
    throw new AssertionError("not part of this test");
  }

  @Override
  public void zero(Tensor target) {
    throw new AssertionError("not part of this test");
  }

  @Override
  public void synchronize() {}

  @Override
  public void close() {}
}
