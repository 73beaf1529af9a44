package moe.backend.cpu.stage;

import moe.backend.cpu.CpuPlace;
import moe.backend.tests.BlockContract;

/// Router, staged path and fused path.
class BlockTest extends BlockContract implements CpuPlace {
  @Override
  protected boolean storesBf16() {
    return true;
  }
}
