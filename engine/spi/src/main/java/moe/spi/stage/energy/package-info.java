/// The formulas of the router `energy-ttt`, shared by the one for all backends and those that a
/// backend ships under the same name.
@NullMarked
package moe.spi.stage.energy;

import org.jspecify.annotations.NullMarked;
