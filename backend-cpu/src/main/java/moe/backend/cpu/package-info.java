/// The CPU backend: dense operations and MoE stages on the Vector API, with scalar twins.
@NullMarked
package moe.backend.cpu;

import org.jspecify.annotations.NullMarked;
