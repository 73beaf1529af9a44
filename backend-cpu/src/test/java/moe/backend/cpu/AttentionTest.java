package moe.backend.cpu;

import moe.backend.tests.AttentionContract;

/// Attention.
class AttentionTest extends AttentionContract implements CpuPlace {}
