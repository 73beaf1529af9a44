package moe.backend.cpu;

import moe.backend.tests.NormContract;

/// Layer norm.
class NormTest extends NormContract implements CpuPlace {}
