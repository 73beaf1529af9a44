/// Tests of the OpenCL backend's operations against references in double precision.
@NullMarked
package moe.backend.opencl;

import org.jspecify.annotations.NullMarked;
