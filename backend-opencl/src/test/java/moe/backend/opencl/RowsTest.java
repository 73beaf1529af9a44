package moe.backend.opencl;

import moe.backend.tests.RowsContract;

/// Rows by assignment.
class RowsTest extends RowsContract implements OpenClPlace {}
