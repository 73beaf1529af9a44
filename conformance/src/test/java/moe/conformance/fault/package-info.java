/// Backends that are broken in one thing each, to show that the kit finds it.
@NullMarked
package moe.conformance.fault;

import org.jspecify.annotations.NullMarked;
