/// What runs on the device, in Java translated by Aparapi or in OpenCL C, and how it is launched.
@NullMarked
package moe.backend.opencl.kernel;

import org.jspecify.annotations.NullMarked;
