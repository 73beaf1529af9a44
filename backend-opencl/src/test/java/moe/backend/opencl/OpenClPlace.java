package moe.backend.opencl;

import moe.backend.opencl.stage.OpenClStages;
import moe.backend.tests.Place;
import moe.backend.tests.Way;
import moe.backend.tests.Workplace;

/// Kernels for processors, and those for GPUs.
public interface OpenClPlace extends Place {
  @Override
  default Workplace open(Way way) {
    return open(
        switch (way) {
          case MAIN -> Devices.PROCESSOR;
          case OTHER -> Devices.GPU;
        });
  }

  /// A workplace on the backend that all tests share, so that each kernel is built once.
  static Workplace open(Devices devices) {
    return open(devices.shared());
  }

  /// A workplace.
  ///
  /// @param backend closed by who gives it
  static Workplace open(OpenClBackend backend) {
    return new Workplace(backend, OpenClStages.ALL, () -> {});
  }
}
