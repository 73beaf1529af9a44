package moe.backend.opencl;

import moe.backend.tests.AttentionContract;

/// Attention.
class AttentionTest extends AttentionContract implements OpenClPlace {}
