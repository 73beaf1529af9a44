package com.example.plain;

import moe.conformance.BackendConformance;
import moe.spi.BackendFactory;

/// All rules of the SPI, and the only test that a backend needs to begin with.
final class PlainConformanceTest extends BackendConformance {
  @Override
  protected BackendFactory factory() {
    return new PlainBackendFactory();
  }
}
