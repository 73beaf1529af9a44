/// Promises that no single package keeps alone: docs/reliability.md.
@NullMarked
package moe.engine.reliability;

import org.jspecify.annotations.NullMarked;
