package moe.backend.cpu;

import moe.conformance.BackendConformance;
import moe.spi.BackendFactory;

/// Holds the CPU backend to the rules of the SPI.
final class CpuConformanceTest extends BackendConformance {
  @Override
  protected BackendFactory factory() {
    return new CpuBackendFactory();
  }
}
