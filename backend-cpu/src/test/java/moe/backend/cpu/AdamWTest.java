package moe.backend.cpu;

import moe.backend.tests.AdamWContract;

/// AdamW.
class AdamWTest extends AdamWContract implements CpuPlace {}
