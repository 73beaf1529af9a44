/// Stages that need the SPI alone and so run on every backend, and the capture of routing.
@NullMarked
package moe.engine.stage;

import org.jspecify.annotations.NullMarked;
