/// The stages of a MoE block: router, dispatcher, expert executor, combiner, and the fusion of the
/// last three.
@NullMarked
package moe.spi.stage;

import org.jspecify.annotations.NullMarked;
