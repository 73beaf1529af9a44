/// Optimisation: one step of AdamW over all parameters, and the step of a training loop.
@NullMarked
package moe.engine.train;

import org.jspecify.annotations.NullMarked;
