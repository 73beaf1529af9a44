package moe.backend.opencl;

import moe.conformance.BackendConformance;
import moe.spi.Availability;
import moe.spi.BackendFactory;
import moe.spi.device.Backend;
import moe.spi.device.DeviceInfo;

/// Holds the kernels for GPUs to the rules of the SPI, on whatever device is there.
final class GpuConformanceTest extends BackendConformance {
  @Override
  protected BackendFactory factory() {
    return new AsGpu(new OpenClBackendFactory());
  }

  private record AsGpu(BackendFactory real) implements BackendFactory {
    @Override
    public String name() {
      return real.name();
    }

    @Override
    public int spiVersion() {
      return real.spiVersion();
    }

    @Override
    public Availability probe() {
      return real.probe();
    }

    @Override
    public Backend open(DeviceInfo device) {
      return Devices.GPU.open();
    }
  }
}
