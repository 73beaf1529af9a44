package moe.backend.opencl.stage;

import moe.backend.opencl.OpenClPlace;
import moe.backend.tests.WorkloadContract;

/// What holds for every operation and every stage.
class WorkloadTest extends WorkloadContract implements OpenClPlace {}
