/// The types that a plugin implements or receives; nothing else of the engine is visible to it.
@NullMarked
package moe.spi;

import org.jspecify.annotations.NullMarked;
