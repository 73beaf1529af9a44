#!/usr/bin/env python3
"""Times the engine and its peers on this CPU in turn and prints ratios.

  python3 bench/cpu-peers/run.py [--rounds 5] [--seconds 3] [--ggml DIR] [--out FILE] [CASE ...]

libtorch comes from Maven Central through DJL (`mvn -f bench/cpu-peers/pom.xml package` first). ggml is optional: DIR is a
checkout of https://github.com/ggml-org/ggml that was built in DIR/build with the target gpt-2-backend. Each round runs
every contender of a case once, one process after the other, so that a machine that changes its speed slows all alike;
ratios are taken round by round.
"""
import argparse
import datetime
import json
import os
import pathlib
import platform
import re
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
THREADS = os.cpu_count()


def run(*command, **extra):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, cwd=ROOT, **extra)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\nexit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def ours(*arguments):
    row = json.loads(run("./moe-engine", "bench", "--backend", "cpu", "--json", *arguments))["rows"][0]
    return row["median_ms"], {k: row[k] for k in ("share_of_peak", "share_of_bandwidth", "peak_gflops")}


def libtorch(*arguments):
    classes = f"{HERE}/target/classes:{HERE}/target/lib/*"
    flags = ["-Dai.djl.offline=true", "-DOPT_OUT_TRACKING=true", f"-Dseconds={args.seconds}"]
    return json.loads(run("java", *flags, "-cp", classes, "bench.LibtorchPeer", *arguments))["median_ms"], {}


def ggml_block(tokens, kind):
    return json.loads(run(built("ggml_block"), tokens, kind, args.seconds, THREADS))["median_ms"], {}


def ggml_decode(kind):
    model = HERE / "target" / f"gpt2-{kind}.bin"
    if not model.exists():
        run("python3", HERE / "ggml_gpt2_model.py", model, kind)
    out = run(f"{args.ggml}/build/bin/gpt-2-backend", "-m", model, "-p", "A", "-n", 200, "-t", THREADS, "--ignore-eos")
    return float(re.search(r"predict time = .*?/\s*([\d.]+) ms per token", out)[1]), {}


def built(name):
    binary = HERE / "target" / name
    if not binary.exists():
        library = f"{args.ggml}/build/src"
        run("g++", "-O2", "-std=c++17", f"-I{args.ggml}/include", HERE / f"{name}.cpp", f"-L{library}", "-lggml",
            "-lggml-base", "-lggml-cpu", f"-Wl,-rpath,{library}", "-o", binary)
    return binary


def cases():
    for name, tokens in (("one-token", 1), ("seed-64", 64), ("seed-1k", 1024)):
        for kind in ("f32", "bf16"):
            contenders = {"ours": lambda n=name, k=kind: ours("--shape", n, "--path", "fused", "--weights", k,
                                                              "--seconds", args.seconds)}
            if kind == "f32":
                contenders["libtorch"] = lambda t=tokens: libtorch("block", t)
            if args.ggml:
                contenders["ggml"] = lambda t=tokens, k=kind: ggml_block(t, k)
            yield f"{name} {kind}", contenders
    yield "train 4x64", {
        "ours": lambda: ours("--model", "distilgpt2", "--pass", "train", "--batch", 4, "--seq-length", 64, "--seconds",
                             args.seconds),
        "libtorch": lambda: libtorch("train", 4, 64)}
    for kind in ("f32", "bf16"):
        def decode(k=kind):
            millis, extra = ours("--model", "distilgpt2", "--pass", "decode", "--seq-length", 200, "--weights", k,
                                 "--seconds", args.seconds)
            return millis / 200, extra
        contenders = {"ours": decode}
        if args.ggml:
            contenders["ggml"] = lambda k=kind: ggml_decode(k)
        yield f"decode {kind}, ms a token", contenders


def main():
    results = []
    print(f"{'case':26} {'contender':10} {'median ms':>10} {'spread':>16}   peer/ours, by round")
    for name, contenders in cases():
        if args.case and not any(c in name for c in args.case):
            continue
        times = {who: [] for who in contenders}
        extras = []
        for _ in range(args.rounds):
            for who, measure in contenders.items():
                millis, extra = measure()
                times[who].append(millis)
                extras += [extra] if extra else []
        for who, values in times.items():
            ratios = [peer / own for peer, own in zip(values, times["ours"])]
            row = {"case": name, "contender": who, "median_ms": statistics.median(values), "rounds_ms": values,
                   "ratio_to_ours": statistics.median(ratios)}
            if who == "ours":
                row["share_of_peak"] = statistics.median(e["share_of_peak"] for e in extras)
                row["share_of_bandwidth"] = statistics.median(e["share_of_bandwidth"] for e in extras)
                row["peak_gflops"] = statistics.median(e["peak_gflops"] for e in extras)
            results.append(row)
            spread = f"{min(values):.3f}-{max(values):.3f}"
            note = (f"{row['share_of_peak']:.2f} of {row['peak_gflops']:.0f} GFLOP/s" if who == "ours" else
                    f"{row['ratio_to_ours']:.2f} ({min(ratios):.2f}-{max(ratios):.2f})")
            print(f"{name:26} {who:10} {row['median_ms']:10.3f} {spread:>16}   {note}", flush=True)
    if args.out:
        cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
        report = {"date": datetime.date.today().isoformat(), "machine": f"{cpu}, {THREADS} cores, {platform.system()}",
                  "command": " ".join(["python3", "bench/cpu-peers/run.py", *sys.argv[1:]]), "results": results}
        pathlib.Path(args.out).write_text(json.dumps(report, indent=1) + "\n")


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("case", nargs="*", help="words of case names; default: all")
parser.add_argument("--rounds", type=int, default=5)
parser.add_argument("--seconds", type=float, default=3)
parser.add_argument("--ggml")
parser.add_argument("--out")
args = parser.parse_args()
main()
