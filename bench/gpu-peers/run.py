#!/usr/bin/env python3
"""Times MoE blocks on one GPU: PyTorch's loop, torch's grouped GEMM, Triton, our kernels, and the engine from Java.

  python3 bench/gpu-peers/run.py --out FILE [--engine ./moe-engine] [--seconds 2] [--window 5.5] [--images DIR]
    [--no-energy] [SHAPE ...]

One call, shape by shape. Peers and our kernels alone get the same random inputs in one process (bench.py beside the kernels),
are checked against float64 with their own routing, and run in CUDA graphs, except the loop. The engine is `bench --backend cuda
--dtype bf16` right behind, on inputs of its own of the same distribution, checked likewise: fused and, as the baseline, its own
loop over experts. µs is the median of short runs; µs without a pause is the mean over --window seconds, when a large shape has
brought the card's clock down, and joules are NVML's over the same seconds. Writes FILE.json and FILE.md. Floor: max(bytes at
4.26 TB/s, FLOP at 788 TFLOP/s). Needs PyTorch and Triton, and nvcc of CUDA 13 unless --images names a folder that build.sh filled. Triton
compiles for all shapes at once first, so that its tuning does not wait in each shape.
"""
import argparse
import datetime
import json
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
KERNELS = ROOT / "backend-cuda/src/test/cuda"
PEERS = ROOT / "bench/gpu-peers/moe_block_peers.py"
SHAPES = ["seed-64", "seed-1k", "seed-8k", "olmoe-1", "olmoe-4k", "mixtral-4k", "qwen3-8k", "granular"]
COLUMNS = ["loop", "grouped", "triton", "kernels", "engine", "engine baseline"]


def call(*command):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, cwd=ROOT)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\nexit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def compile_peers(shapes):
    """Fills Triton's cache; what these processes time, beside each other, is thrown away."""
    busy = [subprocess.Popen([sys.executable, str(PEERS), shape], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            for shape in shapes]
    for process in busy:
        process.wait()


def kernels_and_peers(shape, images, energy):
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        flags = ["--peers", f"--json={file.name}"] + (["--energy"] if energy else [])
        call(sys.executable, KERNELS / "bench.py", images, PEERS, shape, *flags)
        return json.load(open(file.name))[0]


def engine(command, shape, seconds, sustained):
    rows = json.loads(call(*command, "bench", "--backend", "cuda", "--dtype", "bf16", "--shape", shape,
                           "--path", "fused,baseline", "--seconds", seconds, "--sustained", sustained, "--json"))["rows"]
    return {row["path"]: row for row in rows}


def contender(us, sustained, error, flops, floor):
    longer, joules = sustained
    return {"us": us, "tflops": us and flops / us / 1e6, "share_of_floor": us and floor / us, "error": error,
            "sustained_us": longer, "joules": joules}


def java_contender(row, flops, floor):
    if row is None:
        return contender(None, (None, None), None, flops, floor)
    longer = row.get("sustained_ms")
    sustained = (longer and 1e3 * longer, row.get("sustained_joules"))
    return contender(1e3 * row["median_ms"], sustained, row.get("error"), flops, floor)


def result(shape, found, java):
    flops, floor = found["flops"], found["floor_us"]
    times = {"loop": found["loop_us"], "grouped": found["grouped_graph_us"], "triton": found["triton_graph_us"],
             "kernels": found["us"]}
    longer, errors = found.get("sustained", {}), found.get("errors", {})
    contenders = {who: contender(us, longer.get(who, (None, None)), errors.get(who), flops, floor) for who, us in times.items()}
    contenders["engine"] = java_contender(java["fused"], flops, floor)
    contenders["engine baseline"] = java_contender(java.get("baseline"), flops, floor)
    return {"shape": shape, "floor_us": floor, "contenders": contenders}


def cell(value, text):
    return "" if value is None else text.format(value)


def table(results):
    lines = ["| shape | contender | µs | TFLOP/s | share of floor | error | µs without a pause | mJ a block |",
             "|---|---|---|---|---|---|---|---|"]
    for entry in results:
        for who in COLUMNS:
            c = entry["contenders"][who]
            millijoules = None if c["joules"] is None else 1e3 * c["joules"]
            lines.append(f"| {entry['shape']} | {who} | {cell(c['us'], '{:.1f}')} | {cell(c['tflops'], '{:.0f}')} | "
                         f"{cell(c['share_of_floor'], '{:.0%}')} | {cell(c['error'], '{:.1e}')} | "
                         f"{cell(c['sustained_us'], '{:.1f}')} | {cell(millijoules, '{:.2f}')} |")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shape", nargs="*", help=f"of {', '.join(SHAPES)}; default: all")
    parser.add_argument("--out", required=True, help="without ending")
    parser.add_argument("--engine", default="./moe-engine", help="command of the engine")
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--window", type=float, default=5.5, help="seconds of each run without a pause")
    parser.add_argument("--images", help="folder with the kernels' cubins; default: built now")
    parser.add_argument("--no-energy", action="store_true", help="no runs without a pause")
    args = parser.parse_args()
    unknown = set(args.shape) - set(SHAPES)
    if unknown:
        parser.error(f"no shape {', '.join(unknown)}; there are {', '.join(SHAPES)}")
    gpu = call("nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader").strip()
    os.environ["ENERGY_WINDOW_S"] = str(args.window)
    compile_peers(args.shape or SHAPES)
    results = []
    with tempfile.TemporaryDirectory() as folder:
        images = args.images or folder
        if not args.images:
            call(KERNELS / "build.sh", ROOT / "backend-cuda/src/main/cuda", images)
        for shape in args.shape or SHAPES:
            found = kernels_and_peers(shape, images, not args.no_energy)
            java = engine(args.engine.split(), shape, args.seconds, 0 if args.no_energy else args.window)
            results.append(result(shape, found, java))
            print(table(results[-1:]), flush=True)
            date = datetime.date.today().isoformat()
            command = " ".join(["python3", "bench/gpu-peers/run.py", *sys.argv[1:]])
            report = {"date": date, "device": gpu, "command": command, "results": results}
            pathlib.Path(args.out + ".json").write_text(json.dumps(report, indent=1) + "\n")
            head = f"# MoE blocks, {date}\n\n{gpu}. `{command}`\n\n"
            pathlib.Path(args.out + ".md").write_text(head + table(results))


if __name__ == "__main__":
    main()
