"""Writes wgmma.cuh: wrappers of wgmma for each type and tile width, because both are part of the opcode.

python3 wgmma.py > wgmma.cuh
"""
import textwrap

WIDTHS = (8, 16, 32, 64, 96, 128, 160, 192, 224, 256)
KINDS = (("bf16", "k16.f32.bf16.bf16"), ("f16", "k16.f32.f16.f16"), ("float", "k8.f32.tf32.tf32"))

HEADER = """\
// Warpgroup matrix products, D[64 x N] = or += A[64 x 32 bytes] * B[32 bytes x N] of bf16, f16, or float
// read as TF32 (its lower 13 bits are ignored), A and B in shared memory: K contiguous, or
// (…_TRANSPOSED 1; not of float) the 64 rows of A, the N columns of B contiguous.
// Written by wgmma.py, because type and width are part of the opcode. PTX ISA, "wgmma.mma_async".
#pragma once

#include <cstdint>

#include "half.cuh"

namespace moe {

/// `start` overwrites, `add` adds to the N/2 accumulators of each thread.
/// @tparam N columns of the product, 8 to 256
template <class T, int N, int LEFT_TRANSPOSED, int RIGHT_TRANSPOSED = 0>
struct Wgmma;
"""


def operation(n, kind, name, constraint, scale):
    registers = n // 2
    turns = not kind.startswith("k8")
    names = ", ".join(f"%{i}" for i in range(registers))
    operands = ", ".join(f'"{constraint}"(d[{i}])' for i in range(registers))
    transposes = f", %{registers + 2}, %{registers + 3}" if turns else ""
    out = [f"  static __device__ __forceinline__ void {name}(float* d, uint64_t a, uint64_t b) {{"]
    out.append("    asm volatile(")
    out.append(f'        "{{\\n.reg .pred add;\\nsetp.ne.b32 add, {scale}, 0;\\n"')
    out.append(f'        "wgmma.mma_async.sync.aligned.m64n{n}{kind} "')
    out += [f'        "{line} "' for line in textwrap.wrap("{" + names + "},", 84)]
    out.append(f'        "%{registers}, %{registers + 1}, add, 1, 1{transposes};\\n}}\\n"')
    out += textwrap.wrap(operands, 96, initial_indent="        : ", subsequent_indent="          ")
    if turns:
        out.append('        : "l"(a), "l"(b), "n"(LEFT_TRANSPOSED),')
        out.append('          "n"(RIGHT_TRANSPOSED));')
    else:
        out.append('        : "l"(a), "l"(b));')
    out.append("  }")
    return "\n".join(out)


def wrapper(type, kind, n):
    head = (f"template <>\nstruct Wgmma<{type}, {n}, 0, 0> {{" if type == "float" else
            "template <int LEFT_TRANSPOSED, int RIGHT_TRANSPOSED>\n"
            f"struct Wgmma<{type}, {n}, LEFT_TRANSPOSED, RIGHT_TRANSPOSED> {{")
    return (f"{head}\n{operation(n, kind, 'start', '=f', 0)}\n\n"
            f"{operation(n, kind, 'add', '+f', 1)}\n}};")


print(HEADER)
print("\n\n".join(wrapper(type, kind, n) for type, kind in KINDS for n in WIDTHS))
print("\n}  // namespace moe")
