package moe.backend.cpu;

import moe.backend.tests.RowsContract;

/// Rows by assignment.
class RowsTest extends RowsContract implements CpuPlace {}
