/// The numbered rules that a backend is held to, each with its intent and a hint.
@NullMarked
package moe.conformance.rule;

import org.jspecify.annotations.NullMarked;
