/// The functions of an OpenCL driver, called without any native code of our own.
@NullMarked
package moe.backend.opencl.driver;

import org.jspecify.annotations.NullMarked;
