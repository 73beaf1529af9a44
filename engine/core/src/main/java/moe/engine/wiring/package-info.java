/// From a checked configuration and the providers at hand to an open device and the stages that run
/// on it.
@NullMarked
package moe.engine.wiring;

import org.jspecify.annotations.NullMarked;
