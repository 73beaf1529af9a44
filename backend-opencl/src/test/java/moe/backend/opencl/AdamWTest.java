package moe.backend.opencl;

import moe.backend.tests.AdamWContract;

/// AdamW.
class AdamWTest extends AdamWContract implements OpenClPlace {}
