/// The stages of a MoE block on the CPU.
@NullMarked
package moe.backend.cpu.stage;

import org.jspecify.annotations.NullMarked;
