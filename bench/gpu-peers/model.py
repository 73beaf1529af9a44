#!/usr/bin/env python3
"""Times the seed's experiment on one GPU: DistilGPT-2 with 8 experts, top 2, in PyTorch and in the engine, in one call.

  python3 bench/gpu-peers/model.py --out FILE [--engine ./moe-engine] [--seconds 2] [--steps 150]

PyTorch (training_peers.py): training steps with AdamW, forward, greedy decoding; loop over experts in TF32 and bf16, grouped GEMM
in bf16. The engine: whole training steps with clipping and AdamW by `run pipelines/distilgpt2.toml` (median of metrics.csv), forward
and decoding by `bench`. Joules are NVML's of the whole card, per token. Writes FILE.json and FILE.md.
"""
import argparse
import csv
import datetime
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BATCH, LENGTHS = 16, (64, 1024)


def call(*command):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, cwd=ROOT)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\nexit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def peers():
    rows = []
    for line in call(sys.executable, ROOT / "bench/gpu-peers/training_peers.py").splitlines():
        print(line, flush=True)
        if not line.startswith("{"):
            continue
        found = json.loads(line)
        who = f"PyTorch {found['impl']} {found['mode']}"
        if "decode_tok_s" in found:
            rows.append({"who": who, "what": "decode", "tokens_a_second": found["decode_tok_s"]})
            continue
        for what, took in (("train", "train"), ("forward", "infer")):
            rows.append({"who": who, "what": f"{what} {found['B']} x {found['T']}", "ms": found[f"{took}_ms"],
                         "mJ_a_token": found[f"{took}_mJ_tok"]})
    return rows


def training(engine, compute, length, steps):
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "run"
        call(*engine, "run", "pipelines/distilgpt2.toml", "--backend", "cuda", "--set", f'precision.compute="{compute}"',
             "--set", f"run.seq_length={length}", "--set", "run.epochs=1", "--set", f"run.batches={steps}",
             "--set", "metrics.held_out_every=0", "--set", "metrics.held_out_batches=2", "--set", "run.checkpoint_every=0",
             "--out", out)
        rows = list(csv.DictReader(open(out / "metrics.csv")))
        energy = json.load(open(out / "summary.json")).get("energy") or {}
    joules = energy.get("joules_per_token")
    return {"who": f"engine {compute}", "what": f"train {BATCH} x {length}",
            "ms": statistics.median(float(row["Latency_ms"]) for row in rows[4:]),
            "mJ_a_token": None if joules is None else 1e3 * joules}


def engine_rows(engine, seconds, steps):
    rows = []
    for compute in ("f32", "bf16"):
        for length in LENGTHS:
            rows.append(training(engine, compute, length, steps if length == 64 else steps // 3))
            print(rows[-1], flush=True)
            found = bench(engine, compute, "forward", seconds, length)
            rows.append({"who": f"engine {compute}", "what": f"forward {BATCH} x {length}", "ms": found["median_ms"]})
        found = bench(engine, compute, "decode", seconds, 128)
        rows.append({"who": f"engine {compute}", "what": "decode", "tokens_a_second": 128e3 / found["median_ms"]})
    return rows


def bench(engine, compute, what, seconds, length):
    return json.loads(call(*engine, "bench", "--backend", "cuda", "--dtype", compute, "--model", "distilgpt2_moe", "--path", "fused",
                           "--pass", what, "--batch", BATCH, "--seq-length", length, "--seconds", seconds, "--json"))["rows"][0]


def table(rows):
    names = list(dict.fromkeys(row["what"] for row in rows))
    lines = ["| what | who | ms | tokens/s | mJ a token |", "|---|---|---|---|---|"]
    for what in names:
        for row in rows:
            if row["what"] != what:
                continue
            tokens = row.get("tokens_a_second")
            if tokens is None:
                tokens = BATCH * int(what.split()[-1]) / row["ms"] * 1e3
            ms = f"{row['ms']:.2f}" if "ms" in row else ""
            joules = row.get("mJ_a_token")
            lines.append(f"| {what} | {row['who']} | {ms} | {tokens:,.0f} | {'' if joules is None else f'{joules:.2f}'} |")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True, help="without ending")
    parser.add_argument("--engine", default="./moe-engine", help="command of the engine")
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--steps", type=int, default=150)
    args = parser.parse_args()
    gpu = call("nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader").strip()
    rows = peers() + engine_rows(args.engine.split(), args.seconds, args.steps)
    date = datetime.date.today().isoformat()
    command = " ".join(["python3", "bench/gpu-peers/model.py", *sys.argv[1:]])
    report = {"date": date, "device": gpu, "command": command, "rows": rows}
    pathlib.Path(args.out + ".json").write_text(json.dumps(report, indent=1) + "\n")
    text = f"# DistilGPT-2 with 8 experts, {date}\n\n{gpu}. `{command}`\n\n{table(rows)}"
    pathlib.Path(args.out + ".md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
