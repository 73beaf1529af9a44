/// The bench on which rules try a backend: guarded tensors, comparisons, and a ledger of what was
/// measured.
@NullMarked
package moe.conformance.trial;

import org.jspecify.annotations.NullMarked;
