"""A MoE block as a chain of kernels: which kernel, launch shape and arguments for which sizes.

Takes device addresses, so that NumPy (check.py) and PyTorch (bench.py) can both drive it.
"""
import ctypes as c
from dataclasses import dataclass

from driver import MULTIPROCESSORS, TensorMap, tensor_map

NONE, GELU, SILU, RELU = range(4)


def struct(name, *fields):
    kinds = {"p": c.c_void_p, "i": c.c_int}
    return type(name, (c.Structure,), {"_fields_": [(f[2:], kinds[f[0]]) for f in fields]})


RouterArgs = struct("RouterArgs", "p:x", "p:weight", "p:bias", "p:choiceBias", "p:logits",
                    "p:expertIds", "p:gates", "p:rounded", "p:partial", "p:ticket", "i:tokens", "i:dModel",
                    "i:experts", "i:topK", "i:ahead")
DispatchArgs = struct("DispatchArgs", "p:expertIds", "p:offsets", "p:assignments", "p:positions",
                      "p:counts", "i:slots", "i:experts")
GroupedGemm = struct("GroupedGemm", "p:tokens", "p:assignments", "p:offsets", "p:bias",
                     "p:gateBias", "p:out", "p:ticket", "i:experts", "i:topK", "i:in_", "i:outWidth", "i:tile",
                     "i:splits", "i:activation", "i:slots", "i:upFirst")
AnyExperts = struct("AnyExperts", "p:rows", "p:assignments", "p:offsets", "p:weight", "p:gate",
                    "p:bias", "p:gateBias", "p:out", "i:experts", "i:topK", "i:in_", "i:outWidth",
                    "i:activation")
CombineArgs = struct("CombineArgs", "p:rows", "p:positions", "p:gates", "p:out", "i:tokens",
                     "i:topK", "i:dModel", "i:splits", "i:slots", "i:accumulate")

STAGES = {32: 10, 128: 6, 256: 4}


@dataclass
class Spec:
    tokens: int
    dModel: int
    dHidden: int
    experts: int
    topK: int
    gated: bool
    activation: int

    @property
    def slots(self):
        return self.tokens * self.topK


@dataclass
class Choice:
    """How the two products run. `n` is the widest tile of the kernel, `tile` the widest used."""
    up: int = 256
    upTile: int = 256
    down: int = 256
    downTile: int = 256
    splits: int = 1
    rows: bool = False  # a copy of the sorted rows for the first product
    dependent: bool = True

    def __str__(self):
        return (f"up {'rows ' if self.rows else ''}n{self.up}/{self.upTile} down n{self.down}/{self.downTile} "
                f"splits {self.splits}")


def ceil(a, b):
    return -(-a // b)


def choose(spec):
    """A choice by the mean number of rows an expert gets."""
    mean = spec.slots / spec.experts
    if mean <= 64:
        units = max(1, min(spec.experts, spec.slots)) * ceil(spec.dModel, 128)
        return Choice(32, 32, 32, 32, 2 if units < MULTIPROCESSORS * 3 // 4 else 1)
    if mean <= 384:
        return Choice(128, 128, 128, 128, rows=True)
    return Choice(rows=True)


def gemm_shared(n, experts):
    stages = STAGES[n]
    return 1024 + stages * (16384 + n * 128) + 4 * 4096 + 2 * stages * 8 + 48 + 8 * n + 8 * (experts + 1)


def split_shared(width, slices):
    columns, tokens = 32 * slices, 128 // slices
    return (3 if width >= 64 else 4) * tokens * (columns + 4) * 4 + 4 * width * (columns * 2 + 64)


def align(address, to=16):
    assert address % to == 0
    return address


class Block:
    """`memory` maps names to addresses: x32, router32 (F32), x (the router rounds x32 to it for few
    tokens), routerBias, up, gate, down, upBias, gateBias, downBias (0 for none), expertIds, gates,
    partial (F32 [8, experts]), offsets, assignments, positions, counts, hidden, rows, sorted, out
    (F32), tickets. rows is F32 [splits, slots, dModel] if splits > 1, else bf16."""

    def __init__(self, kernels, spec, memory, choice=None, float32=False):
        self.kernels, self.spec, self.memory = kernels, spec, memory
        self.choice = choice or choose(spec)
        self.float32 = float32
        self.fast = not float32 and spec.dModel % 8 == 0 and spec.dHidden % 8 == 0 and spec.slots > 0
        self.rowsFloat = float32 or (self.fast and
                                     (self.choice.splits > 1 or self.choice.down == 32))
        self.choice.splits = min(self.choice.splits, ceil(spec.dHidden, 64)) if self.fast else 1
        if self.fast:
            self.maps()

    def maps(self):
        s, m = self.spec, self.memory
        if s.gated:
            first, second = sorted((m["up"], m["gate"]))
            self.upFirst = int(first == m["up"])
            self.upMap = tensor_map(first, (s.dModel, 8, 2, s.experts * s.dHidden // 8),
                                    (2 * s.dModel, second - first, 16 * s.dModel), (64, 8, 2, 8))
        else:
            self.upFirst = 0
            self.upMap = tensor_map(m["up"], (s.dModel, s.experts * s.dHidden), (2 * s.dModel,),
                                    (64, 128))
        self.downMap = tensor_map(m["down"], (s.dHidden, s.experts * s.dModel), (2 * s.dHidden,),
                                  (64, 128))
        self.sortedMap = TensorMap()
        if self.choice.rows:
            self.sortedMap = tensor_map(m["sorted"], (s.dModel, s.slots), (2 * s.dModel,), (64, 32))
        self.hiddenMap = tensor_map(m["hidden"], (s.dHidden, s.slots), (2 * s.dHidden,), (64, 32))

    def launch(self, name, grid, block, shared, arguments, stream):
        self.kernels[name].launch(grid, block, shared, arguments, stream, self.choice.dependent)

    def route(self, stream=0):
        s, m = self.spec, self.memory
        if s.tokens == 0:
            return
        rounded = 0 if self.float32 or self.choice.rows else m["x"]
        args = RouterArgs(m["x32"], m["router32"], m["routerBias"], 0, 0, m["expertIds"], m["gates"],
                          rounded, m["partial"], m["tickets"] + 64, s.tokens, s.dModel, s.experts,
                          s.topK, 0)
        if self.float32 or s.dModel % 8 or s.experts > 128:
            self.launch("moe_route_f32", (ceil(s.tokens, 16),), 256, 64 * s.experts, [args], stream)
        elif s.tokens <= 8:
            self.launch("moe_route_few", (s.tokens, ceil(s.experts, 8)), 256, 4 * s.experts, [args],
                        stream)
        else:
            width = next(w for w in (8, 32, 64, 128) if w >= s.experts)
            slices = 2 if s.tokens > 4096 else 8 if width <= 32 else 4
            self.launch(f"moe_route_split_e{width}_s{slices}", (ceil(s.tokens * slices, 128),), 256,
                        split_shared(width, slices), [args], stream)

    def dispatch(self, stream=0):
        s, m = self.spec, self.memory
        args = DispatchArgs(m["expertIds"], m["offsets"], m["assignments"], m["positions"],
                            m["counts"], s.slots, s.experts)
        blocks = max(1, ceil(s.slots, 4096))
        shared = 4 * 33 * s.experts
        if blocks > 1:
            self.launch("moe_dispatch_count", (blocks,), 1024, shared, [args], stream)
        self.launch("moe_dispatch_place", (blocks,), 1024, shared, [args], stream)

    def sort(self, stream=0):
        s, m = self.spec, self.memory
        if not (self.fast and self.choice.rows):
            return
        args = [c.c_void_p(m["x32"]), c.c_void_p(m["positions"]), c.c_void_p(m["sorted"]),
                c.c_int(s.slots), c.c_int(s.topK), c.c_int(s.dModel)]
        self.launch("moe_round_sorted", (s.tokens, ceil(s.dModel, 2048)), 256, 0, args, stream)

    def up(self, stream=0):
        s, m, ch = self.spec, self.memory, self.choice
        if not self.fast:
            return self.any(stream, m["x32" if self.float32 else "x"], m["assignments"], m["up"],
                            m["gate"] if s.gated else 0, m["upBias"], m["gateBias"], m["hidden"], s.dModel, s.dHidden,
                            s.activation)
        args = GroupedGemm(m["x"], m["assignments"], m["offsets"], m["upBias"], m["gateBias"],
                           m["hidden"], m["tickets"], s.experts, s.topK, s.dModel, s.dHidden,
                           ch.upTile, 1, s.activation, s.slots, self.upFirst)
        made = {GELU: 'gelu_', SILU: 'silu_'}[s.activation] if ch.up == 256 else ''
        name = f"moe_experts_up_{'rows_' if ch.rows else ''}{'gated_' if s.gated else ''}{made}n{ch.up}"
        self.launch(name, (MULTIPROCESSORS,), 384, gemm_shared(ch.up, s.experts),
                    [self.upMap, self.sortedMap, args], stream)

    def down(self, stream=0):
        s, m, ch = self.spec, self.memory, self.choice
        if not self.fast:
            return self.any(stream, m["hidden"], 0, m["down"], 0, m["downBias"], 0, m["rows"],
                            s.dHidden, s.dModel, NONE)
        args = GroupedGemm(0, 0, m["offsets"], m["downBias"], 0, m["rows"],
                           m["tickets"] + 4, s.experts, s.topK, s.dHidden, s.dModel, ch.downTile,
                           ch.splits, NONE, s.slots, 0)
        name = f"moe_experts_down_{'f32_' if self.rowsFloat else ''}n{ch.down}"
        self.launch(name, (MULTIPROCESSORS,), 384, gemm_shared(ch.down, s.experts),
                    [self.downMap, self.hiddenMap, args], stream)

    def any(self, stream, rows, assignments, weight, gate, bias, gateBias, out, width, outWidth,
            activation):
        s = self.spec
        if s.slots == 0:
            return
        args = AnyExperts(rows, assignments, self.memory["offsets"], weight, gate, bias, gateBias,
                          out, s.experts, s.topK, width, outWidth, activation)
        self.launch(f"moe_experts_any_{'f32' if self.float32 else 'bf16'}",
                    (ceil(outWidth, 64), ceil(s.slots, 64) + s.experts), 256, 0, [args], stream)

    def combine(self, stream=0):
        s, m = self.spec, self.memory
        if s.tokens == 0:
            return
        args = CombineArgs(m["rows"], m["positions"], m["gates"], m["out"], s.tokens, s.topK,
                           s.dModel, self.choice.splits, s.slots)
        kinds = f"{'f32' if self.rowsFloat else 'bf16'}_f32"
        columns = 8 if s.dModel % 8 == 0 else 1
        pieces = ceil(s.dModel, columns)
        block = min(256, ceil(pieces, 32) * 32)
        form = "any_" if columns == 1 else "two_" if s.topK <= 2 else ""
        self.launch(f"moe_combine_{form}{kinds}",
                    (s.tokens, ceil(pieces, block)), block, 0, [args], stream)

    def run(self, stream=0):
        self.route(stream)
        self.dispatch(stream)
        self.sort(stream)
        self.up(stream)
        self.down(stream)
        self.combine(stream)


def product(kernels, name, n, memory, counts, width, outWidth, transposed, tile=0, stream=0):
    """A grouped product alone: memory has rows [slots, width], weights [experts, outWidth, width]
    or transposed [experts, width, outWidth], offsets, out, tickets. One expert: a dense product."""
    experts, slots = len(counts), int(sum(counts))
    if transposed:
        weights = tensor_map(memory["weights"], (outWidth, experts * width), (2 * outWidth,),
                             (64, 64))
    else:
        weights = tensor_map(memory["weights"], (width, experts * outWidth), (2 * width,),
                             (64, 128))
    rows = tensor_map(memory["rows"], (width, slots), (2 * width,), (64, 32))
    args = GroupedGemm(0, 0, memory["offsets"], 0, 0, memory["out"], memory["tickets"],
                       experts, 1, width, outWidth, tile or n, 1, NONE, slots, 0)
    kernels[f"{name}_n{n}"].launch((MULTIPROCESSORS,), 384, gemm_shared(n, experts),
                                   [weights, rows, args], stream)
