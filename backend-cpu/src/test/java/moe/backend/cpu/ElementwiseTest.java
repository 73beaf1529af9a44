package moe.backend.cpu;

import moe.backend.tests.ElementwiseContract;

/// Operations on tensors of equal size.
class ElementwiseTest extends ElementwiseContract implements CpuPlace {}
