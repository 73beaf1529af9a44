/// What every operation of the SPI computes, in double precision and plain loops that nobody
/// optimises.
@NullMarked
package moe.conformance.reference;

import org.jspecify.annotations.NullMarked;
