/// The CUDA backend: NVIDIA GPUs through the driver alone, with kernels that ship as machine code.
@NullMarked
package moe.backend.cuda;

import org.jspecify.annotations.NullMarked;
