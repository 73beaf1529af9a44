/// The stages of a MoE block on an NVIDIA GPU.
@NullMarked
package moe.backend.cuda.stage;

import org.jspecify.annotations.NullMarked;
