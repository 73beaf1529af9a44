/// Variants of one pipeline set against each other: turn by turn, with the spread of what differs.
@NullMarked
package moe.engine.compare;

import org.jspecify.annotations.NullMarked;
