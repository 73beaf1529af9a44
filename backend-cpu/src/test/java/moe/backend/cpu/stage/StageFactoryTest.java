package moe.backend.cpu.stage;

import moe.backend.cpu.CpuBackend;
import moe.backend.cpu.CpuPlace;
import moe.backend.cpu.kernel.CpuThreads;
import moe.backend.cpu.kernel.InnerLoops;
import moe.backend.tests.StageFactoryContract;
import moe.spi.device.Backend;
import moe.spi.device.DType;
import moe.spi.device.DeviceInfo;

/// What the factories refuse, and what their stages leave behind.
class StageFactoryTest extends StageFactoryContract implements CpuPlace {
  @Override
  protected boolean takes(DType weights, boolean training) {
    return weights == DType.F32 || (weights == DType.BF16 && !training);
  }

  @Override
  protected Backend small() {
    return new CpuBackend(
        new DeviceInfo("cpu", 0, "small", 2000), new CpuThreads(1), InnerLoops.best());
  }
}
