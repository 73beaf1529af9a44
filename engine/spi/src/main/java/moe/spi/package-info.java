/// Service types found by `ServiceLoader`: what a plugin author implements first.
@NullMarked
package moe.spi;

import org.jspecify.annotations.NullMarked;
