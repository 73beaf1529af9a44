/// Tests that several of our backends inherit: operations and stages against references in double
/// precision, on tensors whose surroundings are watched.
@NullMarked
package moe.backend.tests;

import org.jspecify.annotations.NullMarked;
