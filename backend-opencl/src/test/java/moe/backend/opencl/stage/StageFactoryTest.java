package moe.backend.opencl.stage;

import moe.backend.opencl.Devices;
import moe.backend.opencl.OpenClPlace;
import moe.backend.tests.StageFactoryContract;
import moe.spi.device.Backend;
import moe.spi.device.DType;

/// What the factories refuse, and what their stages leave behind.
class StageFactoryTest extends StageFactoryContract implements OpenClPlace {
  @Override
  protected boolean takes(DType weights, boolean training) {
    return weights == DType.F32;
  }

  @Override
  protected Backend small() {
    return Devices.PROCESSOR.open(Devices.driver(), 20_000);
  }
}
