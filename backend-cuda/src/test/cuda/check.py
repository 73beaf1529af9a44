"""Checks every kernel against float64 in NumPy: python3 check.py FOLDER_OF_IMAGES [small]

Random inputs, odd sizes, experts without tokens, unused slots, poisoned outputs, twice the same
bits. `small` keeps the sizes that compute-sanitizer can stand. Exits 1 if a case fails.
"""
import sys

import numpy as np

from block import GELU, NONE, RELU, SILU, Block, Choice, Spec, choose, product
from driver import Kernels, Memory, synchronize

TOLERANCE = {"bf16": 6e-3, "f32": 3e-6}
random = np.random.default_rng(7)


def to_bf16(values):
    """Rounded to bf16, as uint16."""
    bits = np.ascontiguousarray(values, np.float32).view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)


def from_bf16(bits):
    return (bits.astype(np.uint32) << 16).view(np.float32)


def activate(kind, x):
    if kind == GELU:
        return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x ** 3)))
    if kind == SILU:
        return x / (1 + np.exp(-x))
    return np.maximum(x, 0) if kind == RELU else x


def normal(*shape, scale=1.0):
    return (random.standard_normal(shape) * scale).astype(np.float32)


class Case:
    def __init__(self, kernels, spec, ids=None, choice=None, float32=False, bias=True, flip=False):
        self.kernels, self.spec, self.ids, self.choice = kernels, spec, ids, choice
        self.float32 = float32
        s = spec
        self.host = {
            "x": normal(s.tokens, s.dModel),
            "router": normal(s.experts, s.dModel, scale=s.dModel ** -0.5),
            "up": normal(s.experts, s.dHidden, s.dModel, scale=s.dModel ** -0.5),
            "down": normal(s.experts, s.dModel, s.dHidden, scale=s.dHidden ** -0.5)}
        if s.gated:
            self.host["gate"] = normal(s.experts, s.dHidden, s.dModel, scale=s.dModel ** -0.5)
        if not float32:
            self.host = {k: to_bf16(v) for k, v in self.host.items()}
        for name in ("x", "router"):
            self.host[name + "32"] = self.value(name).astype(np.float32)
        if bias:
            self.host["routerBias"] = normal(s.experts, scale=0.1)
            self.host["upBias"] = normal(s.experts, s.dHidden, scale=0.1)
            self.host["downBias"] = normal(s.experts, s.dModel, scale=0.1)
            if s.gated:
                self.host["gateBias"] = normal(s.experts, s.dHidden, scale=0.1)
        order = ["gate", "up"] if flip else ["up", "gate"]
        self.device = {k: Memory(self.host[k]) for k in order if k in self.host}
        self.device |= {k: Memory(v) for k, v in self.host.items() if k not in order}

    def value(self, name):
        raw = self.host[name]
        return (from_bf16(raw) if raw.dtype == np.uint16 else raw).astype(np.float64)

    def outputs(self):
        s = self.spec
        ch = self.choice or choose(s)
        poison = np.uint16(0x7FC1)
        wide = np.float32 if self.float32 else np.uint16
        fill = np.float32(np.nan) if self.float32 else poison
        blocks = max(1, -(-s.slots // 4096))
        splits = max(ch.splits, 1)
        return {
            "expertIds": np.full((s.tokens, s.topK), -7, np.int32),
            "gates": np.full((s.tokens, s.topK), np.nan, np.float32),
            "offsets": np.full(s.experts + 1, -9, np.int32),
            "assignments": np.full(s.slots, -9, np.int32),
            "positions": np.full(s.slots, -9, np.int32),
            "counts": np.full(blocks * s.experts, -9, np.int32),
            "tickets": np.zeros(32, np.int32),
            "partial": np.full((8, s.experts), np.nan, np.float32),
            "sorted": np.full((s.slots, s.dModel), fill, wide),
            "hidden": np.full((s.slots, s.dHidden), fill, wide),
            "rows": np.full((splits, s.slots, s.dModel), np.nan, np.float32),
            "out": np.full((s.tokens, s.dModel), np.nan, np.float32)}

    def chain(self, block):
        if self.ids is None:
            block.route()
        block.dispatch()
        block.sort()
        block.up()
        block.down()
        block.combine()

    def run(self):
        outs = self.outputs()
        if self.ids is not None:
            outs["expertIds"] = self.ids
            gates = random.random(self.ids.shape).astype(np.float32)
            outs["gates"] = gates / gates.sum(1, keepdims=True)
        elif not self.float32 and not (self.choice or choose(self.spec)).rows:
            outs["x"] = np.full((self.spec.tokens, self.spec.dModel), 0x7FC1, np.uint16)
        device = {k: Memory(v) for k, v in outs.items()}
        addresses = {"routerBias": 0, "upBias": 0, "downBias": 0, "gateBias": 0, "gate": 0}
        addresses |= {k: v.address for k, v in (self.device | device).items()}
        block = Block(self.kernels, self.spec, addresses, self.choice, self.float32)
        self.chain(block)
        synchronize()
        first = {k: v.read() for k, v in device.items()}
        self.chain(block)
        second = device["out"].read()
        assert (device["tickets"].read() == 0).all(), "tickets not given back"
        if first["out"].tobytes() != second.tobytes():
            raise AssertionError("other bits on the second run")
        return first

    def check(self):
        s = self.spec
        got = self.run()
        if s.tokens == 0:
            assert (got["offsets"] == 0).all(), "offsets of no tokens"
            return 0.0
        ids, gates = got["expertIds"], got["gates"].astype(np.float64)
        if self.ids is None:
            self.check_routing(ids, gates)
        self.check_plan(got, ids)
        want = self.reference(ids, gates)
        out = got["out"]
        out = (from_bf16(out) if out.dtype == np.uint16 else out).astype(np.float64)
        assert np.isfinite(out).all(), f"{np.count_nonzero(~np.isfinite(out))} not finite"
        scale = np.linalg.norm(want)
        error = np.linalg.norm(out - want) / scale if scale > 0 else np.linalg.norm(out)
        limit = TOLERANCE["f32" if self.float32 else "bf16"]
        assert error <= limit, f"relative error {error:.3g} above {limit}"
        return error

    def check_routing(self, ids, gates):
        s = self.spec
        logits = self.value("x") @ self.value("router").T
        if "routerBias" in self.host:
            logits += self.value("routerBias")
        assert ((ids >= 0) & (ids < s.experts)).all(), "id out of range"
        chosen = np.take_along_axis(logits, ids.astype(np.int64), 1)
        assert all(len(set(row)) == s.topK for row in ids), "an expert twice"
        best = -np.sort(-logits, axis=1)[:, :s.topK]
        assert np.abs(chosen - best).max() <= 1e-4, "not the best experts"
        want = np.exp(chosen - chosen.max(1, keepdims=True))
        want /= want.sum(1, keepdims=True)
        assert np.abs(gates - want).max() <= 1e-4, "gates"

    def check_plan(self, got, ids):
        flat = ids.reshape(-1)
        used = np.flatnonzero(flat >= 0)
        order = used[np.argsort(flat[used], kind="stable")]
        counts = np.bincount(flat[used], minlength=self.spec.experts)
        assert (got["offsets"] == np.concatenate([[0], np.cumsum(counts)])).all(), "offsets"
        assert (got["assignments"][:len(order)] == order).all(), "assignments"
        positions = np.full(flat.shape, -1)
        positions[order] = np.arange(len(order))
        assert (got["positions"] == positions).all(), "positions"

    def reference(self, ids, gates):
        s = self.spec
        x, up, down = self.value("x"), self.value("up"), self.value("down")
        bias = lambda name, e: self.value(name)[e] if name in self.host else 0.0
        out = np.zeros((s.tokens, s.dModel))
        for e in range(s.experts):
            token, k = np.nonzero(ids == e)
            if len(token) == 0:
                continue
            hidden = x[token] @ up[e].T + bias("upBias", e)
            if s.gated:
                gate = x[token] @ self.value("gate")[e].T + bias("gateBias", e)
                hidden = activate(s.activation, gate) * hidden
            else:
                hidden = activate(s.activation, hidden)
            np.add.at(out, token, gates[token, k, None] * (hidden @ down[e].T + bias("downBias", e)))
        return out


class Product:
    """A grouped product alone, dense if there is one expert, transposed as in the backward pass."""

    def __init__(self, kernels, name, n, counts, width, outWidth, transposed):
        self.kernels, self.name, self.n, self.counts = kernels, name, n, counts
        self.width, self.outWidth, self.transposed = width, outWidth, transposed

    def check(self):
        experts, slots = len(self.counts), sum(self.counts)
        rows = to_bf16(normal(slots, self.width))
        weights = to_bf16(normal(experts, self.outWidth, self.width, scale=self.width ** -0.5))
        stored = np.ascontiguousarray(weights.transpose(0, 2, 1)) if self.transposed else weights
        offsets = np.concatenate([[0], np.cumsum(self.counts)]).astype(np.int32)
        wide = "f32" in self.name
        out = np.full((slots, self.outWidth), np.nan if wide else 0x7FC1,
                      np.float32 if wide else np.uint16)
        device = {"rows": rows, "weights": stored, "offsets": offsets, "out": out,
                  "tickets": np.zeros(1, np.int32)}
        device = {k: Memory(v) for k, v in device.items()}
        addresses = {k: v.address for k, v in device.items()}
        product(self.kernels, self.name, self.n, addresses, self.counts, self.width,
                self.outWidth, self.transposed)
        got = device["out"].read()
        got = (got if wide else from_bf16(got)).astype(np.float64)
        want = np.concatenate([
            from_bf16(rows[offsets[e]:offsets[e + 1]]).astype(np.float64)
            @ from_bf16(weights[e]).astype(np.float64).T for e in range(experts)])
        assert np.isfinite(got).all(), "not finite"
        error = np.linalg.norm(got - want) / np.linalg.norm(want)
        limit = 1e-6 if wide else TOLERANCE["bf16"]  # bf16 products are exact in float32
        assert error <= limit, f"relative error {error:.3g} above {limit}"
        return error


def cases(kernels, small):
    def case(name, *sizes, **options):
        return name, lambda: Case(kernels, Spec(*sizes), **options)

    many = 200 if small else 1000
    for tokens in (0, 1, 31, 33, many):
        yield case(f"tokens {tokens}, 5 experts, gelu", tokens, 64, 136, 5, 2, False, GELU)
        yield case(f"tokens {tokens}, 5 experts, swiglu", tokens, 136, 72, 5, 3, True, SILU,
                   bias=False)
        yield case(f"tokens {tokens}, hidden 130", tokens, 64, 130, 5, 2, False, GELU)
        yield case(f"tokens {tokens}, hidden 130, gated, f32", tokens, 66, 130, 5, 2, True, SILU,
                   float32=True)
    for n in (32, 128, 256):
        for gated in (False, True):
            for tile in {n, 32, 64} if n > 32 else {32, 16}:
                kind = (SILU if gated else GELU) if n == 256 else (GELU if gated else RELU)
                yield case(f"n{n} tile {tile}{' gated' if gated else ''}", many - 3, 200, 328, 7, 2,
                           gated, kind, choice=Choice(n, tile, n, tile, rows=n > 32), flip=n != 32)
    yield case("splits 3", 40, 128, 456, 4, 2, False, GELU, choice=Choice(32, 32, 32, 32, 3))
    yield case("splits 2, wide", 190, 128, 456, 4, 2, True, SILU, choice=Choice(128, 128, 128, 96, 2, True))
    yield case("identity", 50, 72, 88, 3, 1, False, NONE, choice=Choice(128, 128, 128, 128, rows=True))
    one = np.full((many, 1), 3, np.int32)
    yield case("all tokens to one expert", many, 136, 264, 5, 1, False, GELU, ids=one)
    yield case("all tokens to one expert, n256", many, 136, 264, 5, 1, True, SILU, ids=one,
               choice=Choice(rows=True))
    none = np.stack([np.full(many, 1), np.full(many, 4)], 1).astype(np.int32)
    none[::3, 1] = -1
    none[5::7, 0] = -1
    yield case("experts without tokens, unused slots", many, 136, 264, 6, 2, True, SILU, ids=none)
    yield case("all slots unused", 9, 64, 64, 3, 2, False, GELU, ids=np.full((9, 2), -1, np.int32))
    for transposed in (True, False):
        for kind in ("", "_f32"):
            for n in (128, 256):
                for counts in ([300], [1, 0, 77, 290, 33]):
                    name = f"moe_experts_{'back' if transposed else 'down'}{kind}"
                    yield (f"{name} n{n} {counts}",
                           lambda a=(name, n, counts, 200, 328, transposed): Product(kernels, *a))
    yield case("many experts", 70, 64, 64, 128, 8, True, SILU)
    for experts in (8, 30, 64, 100):
        yield case(f"5000 tokens, {experts} experts", 5000, 72, 64, experts, 2, False, GELU)
        yield case(f"200 tokens, {experts} experts", 200, 296, 64, experts, 2, False, GELU)
        yield case(f"3 tokens, {experts} experts", 3, 296, 64, experts, 2, False, GELU)
    if not small:
        for n in (32, 128, 256):
            yield case(f"seed, 1000 tokens, n{n}", 1000, 768, 3072, 8, 2, False, GELU,
                       choice=Choice(n, n, n, n, rows=n > 32))
        yield case("seed, float32", 200, 768, 3072, 8, 2, False, GELU, float32=True)
        yield case("many tokens", 9000, 72, 80, 33, 4, True, SILU)


def main():
    kernels = Kernels(sys.argv[1])
    small = "small" in sys.argv[2:]
    passed = failed = 0
    worst = 0.0
    for name, make in cases(kernels, small):
        try:
            error = make().check()
            worst = max(worst, error)
            passed += 1
            print(f"ok   {name}: {error:.2e}", flush=True)
        except AssertionError as problem:
            failed += 1
            print(f"FAIL {name}: {problem}", flush=True)
    print(f"{passed} passed, {failed} failed, largest relative error {worst:.2e}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
