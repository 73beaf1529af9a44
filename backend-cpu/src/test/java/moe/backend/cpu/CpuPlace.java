package moe.backend.cpu;

import moe.backend.cpu.kernel.CpuThreads;
import moe.backend.cpu.stage.CpuStages;
import moe.backend.tests.Place;
import moe.backend.tests.Way;
import moe.backend.tests.Workplace;
import moe.spi.device.DeviceInfo;

/// Vector loops, and their scalar twins.
public interface CpuPlace extends Place {
  @Override
  default Workplace open(Way way) {
    return open(
        switch (way) {
          case MAIN -> Loops.VECTOR;
          case OTHER -> Loops.SCALAR;
        },
        2);
  }

  /// A workplace on a backend of its own.
  static Workplace open(Loops loops, int threads) {
    CpuBackend backend =
        new CpuBackend(
            new DeviceInfo("cpu", 0, "test", 1L << 30), new CpuThreads(threads), loops.loops());
    return new Workplace(backend, CpuStages.ALL, backend::close);
  }
}
