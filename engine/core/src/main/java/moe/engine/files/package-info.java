/// Writing files so that a reader sees the old content or the new one, never half of it, and
/// showing what stands in others.
@NullMarked
package moe.engine.files;

import org.jspecify.annotations.NullMarked;
