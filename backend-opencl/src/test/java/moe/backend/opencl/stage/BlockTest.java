package moe.backend.opencl.stage;

import moe.backend.opencl.OpenClPlace;
import moe.backend.tests.BlockContract;

/// Router, staged path and fused path.
class BlockTest extends BlockContract implements OpenClPlace {
  @Override
  protected boolean storesBf16() {
    return false;
  }
}
