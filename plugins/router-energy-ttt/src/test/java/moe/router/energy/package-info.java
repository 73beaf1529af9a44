/// The router against its formulas in double precision, on the CPU backend.
@NullMarked
package moe.router.energy;

import org.jspecify.annotations.NullMarked;
