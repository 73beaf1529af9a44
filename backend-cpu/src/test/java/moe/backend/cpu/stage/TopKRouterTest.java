package moe.backend.cpu.stage;

import moe.backend.cpu.CpuPlace;
import moe.backend.tests.TopKRouterContract;

/// Choice and gates.
class TopKRouterTest extends TopKRouterContract implements CpuPlace {
  @Override
  protected double gateTolerance() {
    return 0;
  }
}
