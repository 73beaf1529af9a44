package moe.backend.opencl.stage;

import moe.backend.opencl.OpenClPlace;
import moe.backend.tests.AuxiliaryLossContract;

/// Balance loss and z-loss of the backend's own router.
class AuxiliaryLossTest extends AuxiliaryLossContract implements OpenClPlace {}
