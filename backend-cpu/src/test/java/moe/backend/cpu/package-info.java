/// Tests of the CPU backend's operations against references in double precision.
@NullMarked
package moe.backend.cpu;

import org.jspecify.annotations.NullMarked;
