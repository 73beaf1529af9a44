/// Tests of the CUDA backend.
@NullMarked
package moe.backend.cuda;

import org.jspecify.annotations.NullMarked;
