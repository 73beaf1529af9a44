/// The stages of a MoE block on an OpenCL device.
@NullMarked
package moe.backend.opencl.stage;

import org.jspecify.annotations.NullMarked;
