package moe.conformance.fault;

import java.lang.foreign.MemorySegment;
import moe.spi.device.DeviceStream;
import moe.spi.device.Tensor;

/// A stream that is another one; a fault overrides one method.
class ForwardingStream implements DeviceStream {
  final DeviceStream real;

  ForwardingStream(DeviceStream real) {
    this.real = real;
  }

  @Override
  public void upload(MemorySegment source, Tensor target) {
    real.upload(source, ForwardingTensor.behind(target));
  }

  @Override
  public void download(Tensor source, MemorySegment target) {
    real.download(ForwardingTensor.behind(source), target);
  }

  @Override
  public void copy(Tensor source, Tensor target) {
    real.copy(ForwardingTensor.behind(source), ForwardingTensor.behind(target));
  }

  @Override
  public void zero(Tensor target) {
    real.zero(ForwardingTensor.behind(target));
  }

  @Override
  public void synchronize() {
    real.synchronize();
  }

  @Override
  public long timeNanos() {
    return real.timeNanos();
  }

  @Override
  public void close() {
    real.close();
  }
}
