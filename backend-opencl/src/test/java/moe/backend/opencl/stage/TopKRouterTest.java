package moe.backend.opencl.stage;

import moe.backend.opencl.OpenClPlace;
import moe.backend.tests.TopKRouterContract;

/// Choice and gates.
class TopKRouterTest extends TopKRouterContract implements OpenClPlace {
  /// An exponential and a division in float32, each within a few units of the last place.
  @Override
  protected double gateTolerance() {
    return 1e-6;
  }
}
