/// Tests of the stages against a MoE block in double precision.
@NullMarked
package moe.backend.opencl.stage;

import org.jspecify.annotations.NullMarked;
