package moe.backend.opencl;

import moe.conformance.BackendConformance;
import moe.spi.BackendFactory;

/// Holds the OpenCL backend to the rules of the SPI, on the first device of this machine.
final class OpenClConformanceTest extends BackendConformance {
  @Override
  protected BackendFactory factory() {
    return new OpenClBackendFactory();
  }
}
