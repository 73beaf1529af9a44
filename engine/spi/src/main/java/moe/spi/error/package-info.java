/// Errors a user can cause, each with one clear line and an exit code.
@NullMarked
package moe.spi.error;

import org.jspecify.annotations.NullMarked;
