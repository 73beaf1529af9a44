/// The engine against another implementation's results, held in a checkpoint directory.
@NullMarked
package moe.engine.parity;

import org.jspecify.annotations.NullMarked;
