/// The one exception a user can cause, with the kind that decides the exit code.
@NullMarked
package moe.spi.error;

import org.jspecify.annotations.NullMarked;
