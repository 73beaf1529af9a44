/// The conformance kit: runs the rules of the SPI against a backend, in a JUnit test or in a
/// program.
@NullMarked
package moe.conformance;

import org.jspecify.annotations.NullMarked;
