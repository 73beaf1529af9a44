/// Tests of the search for devices, and a driver that fails on demand.
@NullMarked
package moe.backend.opencl.driver;

import org.jspecify.annotations.NullMarked;
