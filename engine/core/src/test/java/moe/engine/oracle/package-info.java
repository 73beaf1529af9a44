/// A GPT-2 in double precision and plain loops, written apart from the engine: what the engine is
/// checked against.
@NullMarked
package moe.engine.oracle;

import org.jspecify.annotations.NullMarked;
