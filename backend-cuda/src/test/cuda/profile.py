"""One run of the block for a profiler: ncu … python3 profile.py IMAGES PEERS.py SHAPE…"""
import sys

import torch

from bench import Ours, candidates, load
from block import Spec
from driver import Kernels

if __name__ == "__main__":
    kernels, peers = Kernels(sys.argv[1]), load(sys.argv[2])
    for name in sys.argv[3:]:
        shape = peers.SHAPES[name]
        torch.manual_seed(0)
        tensors = peers.make(*shape, torch.bfloat16, not shape[5])
        ours = Ours(kernels, peers, shape, tensors, candidates(Spec(*shape, 0))[0])
        for _ in range(2):
            ours.block.run(torch.cuda.current_stream().cuda_stream)
        torch.cuda.synchronize()
