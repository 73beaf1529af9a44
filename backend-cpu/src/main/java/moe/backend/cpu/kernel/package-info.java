/// Kernels of the CPU backend on plain arrays, the threads they run on, and their scalar twins.
@NullMarked
package moe.backend.cpu.kernel;

import org.jspecify.annotations.NullMarked;
