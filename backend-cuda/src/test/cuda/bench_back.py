"""Times moe_experts_back beside the forward product of the same size: python3 bench_back.py IMAGES PEERS.py

Second product of each large shape transposed, experts with equal numbers of tokens, graph of 10, median of 9.
"""
import sys

import torch

from bench import load
from block import product
from driver import Kernels


def main():
    kernels, peers = Kernels(sys.argv[1]), load(sys.argv[2])
    for name in ("seed-1k", "seed-8k", "olmoe-4k", "mixtral-4k"):
        tokens, d_model, d_hidden, experts, top_k, _ = peers.SHAPES[name]
        slots = tokens * top_k
        counts = [slots // experts] * experts
        rows = torch.randn(slots, d_model, device="cuda", dtype=torch.bfloat16)
        weights = torch.randn(experts, d_model, d_hidden, device="cuda", dtype=torch.bfloat16)
        offsets = torch.arange(experts + 1, device="cuda", dtype=torch.int32) * (slots // experts)
        out = torch.empty(slots, d_hidden, device="cuda", dtype=torch.bfloat16)
        tickets = torch.zeros(1, device="cuda", dtype=torch.int32)
        memory = {k: v.data_ptr() for k, v in
                  dict(rows=rows, weights=weights, offsets=offsets, out=out, tickets=tickets).items()}
        n = 256 if slots // experts > 384 else 128

        def graph(kernel, transposed):
            product(kernels, kernel, n, memory, counts, d_model, d_hidden, transposed)
            torch.cuda.synchronize()
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):
                for _ in range(10):
                    product(kernels, kernel, n, memory, counts, d_model, d_hidden, transposed, 0,
                            torch.cuda.current_stream().cuda_stream)
            return peers.bench(graph.replay, 2, 9) / 10

        flops = 2 * slots * d_model * d_hidden
        back = graph("moe_experts_back", True)
        want = torch.stack([rows.view(experts, -1, d_model)[e].float() @ weights[e].float()
                            for e in range(min(2, experts))])
        got = out.view(experts, -1, d_hidden)[:2].float()
        error = float((got - want).norm() / want.norm())
        ahead = graph("moe_experts_down", False)
        print(f"{name:10} back {back:7.1f} us {flops / back / 1e6:4.0f} TFLOP/s (error {error:.1e}), "
              f"forward {ahead:7.1f} us {flops / ahead / 1e6:4.0f} TFLOP/s", flush=True)


if __name__ == "__main__":
    main()
