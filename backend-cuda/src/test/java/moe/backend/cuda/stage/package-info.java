/// Tests of the CUDA backend's stages.
@NullMarked
package moe.backend.cuda.stage;

import org.jspecify.annotations.NullMarked;
