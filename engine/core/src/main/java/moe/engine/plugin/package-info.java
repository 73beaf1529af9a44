/// Finds the providers of the SPI on the class path and in plugin directories, and keeps the bad
/// ones apart.
@NullMarked
package moe.engine.plugin;

import org.jspecify.annotations.NullMarked;
