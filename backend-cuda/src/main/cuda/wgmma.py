"""Writes wgmma.cuh: wrappers of wgmma for each tile width, because the width is part of the opcode.

python3 wgmma.py > wgmma.cuh
"""
import textwrap

WIDTHS = (8, 16, 32, 64, 96, 128, 160, 192, 224, 256)

HEADER = """\
// Warpgroup matrix products, D[64 x N] = or += A[64 x 16] * B[16 x N], A and B in shared memory:
// K contiguous, or (…_TRANSPOSED 1) the 64 rows of A, the N columns of B contiguous.
// Written by wgmma.py, because the width N is part of the opcode. PTX ISA, "wgmma.mma_async".
#pragma once

#include <cstdint>

namespace moe {

/// `start` overwrites, `add` adds to the N/2 accumulators of each thread.
/// @tparam N columns of the product, 8 to 256
template <int N, int LEFT_TRANSPOSED, int RIGHT_TRANSPOSED = 0>
struct Wgmma;
"""


def operation(n, name, constraint, scale):
    registers = n // 2
    names = ", ".join(f"%{i}" for i in range(registers))
    operands = ", ".join(f'"{constraint}"(d[{i}])' for i in range(registers))
    out = [f"  static __device__ __forceinline__ void {name}(float* d, uint64_t a, uint64_t b) {{"]
    out.append("    asm volatile(")
    out.append(f'        "{{\\n.reg .pred add;\\nsetp.ne.b32 add, {scale}, 0;\\n"')
    out.append(f'        "wgmma.mma_async.sync.aligned.m64n{n}k16.f32.bf16.bf16 "')
    out += [f'        "{line} "' for line in textwrap.wrap("{" + names + "},", 84)]
    out.append(f'        "%{registers}, %{registers + 1}, add, 1, 1, %{registers + 2}, %{registers + 3};\\n}}\\n"')
    out += textwrap.wrap(operands, 96, initial_indent="        : ", subsequent_indent="          ")
    out.append('        : "l"(a), "l"(b), "n"(LEFT_TRANSPOSED),')
    out.append('          "n"(RIGHT_TRANSPOSED));')
    out.append("  }")
    return "\n".join(out)


def wrapper(n):
    return (f"template <int LEFT_TRANSPOSED, int RIGHT_TRANSPOSED>\nstruct Wgmma<{n}, LEFT_TRANSPOSED, RIGHT_TRANSPOSED> {{\n{operation(n, 'start', '=f', 0)}\n\n"
            f"{operation(n, 'add', '+f', 1)}\n}};")


print(HEADER)
print("\n\n".join(wrapper(n) for n in WIDTHS))
print("\n}  // namespace moe")
