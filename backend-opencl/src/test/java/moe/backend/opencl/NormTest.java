package moe.backend.opencl;

import moe.backend.tests.NormContract;

/// Layer norm.
class NormTest extends NormContract implements OpenClPlace {}
