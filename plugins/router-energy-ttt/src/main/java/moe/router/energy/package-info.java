/// The router `energy-ttt`: it weighs what experts cost in energy, and learns while it is used.
@NullMarked
package moe.router.energy;

import org.jspecify.annotations.NullMarked;
