package moe.backend.cuda;

import moe.conformance.BackendConformance;
import moe.spi.BackendFactory;

/// Holds the CUDA backend to the rules of the SPI, on the GPU of this machine or on its emulation.
final class CudaConformanceTest extends BackendConformance {
  @Override
  protected BackendFactory factory() {
    return new EmulatedWhereThereIsNone();
  }
}
