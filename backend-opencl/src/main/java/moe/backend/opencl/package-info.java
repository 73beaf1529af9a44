/// The OpenCL backend: finds devices, keeps tensors on them, and computes on them.
@NullMarked
package moe.backend.opencl;

import org.jspecify.annotations.NullMarked;
