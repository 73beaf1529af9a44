package moe.backend.cpu.stage;

import moe.backend.cpu.CpuPlace;
import moe.backend.tests.AuxiliaryLossContract;

/// Balance loss and z-loss of the backend's own router.
class AuxiliaryLossTest extends AuxiliaryLossContract implements CpuPlace {}
