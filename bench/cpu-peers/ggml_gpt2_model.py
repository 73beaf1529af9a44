"""Writes a DistilGPT-2 with random weights in the format of ggml's gpt-2 example: python3 ggml_gpt2_model.py FILE [f32|bf16].

Decode with `gpt-2-backend -m FILE -p t1 -n 200 -t 2 --ignore-eos`; the program prints its time per token.
"""
import struct
import sys
import numpy as np

VOCAB, POSITIONS, MODEL, HEADS, LAYERS = 50257, 1024, 768, 12, 6
FTYPE = {"f32": 0, "bf16": 24}
TYPE = {"f32": 0, "bf16": 30}


def main(path, kind="f32"):
    rng = np.random.default_rng(7)
    with open(path, "wb") as out:
        out.write(struct.pack("7i", 0x67676D6C, VOCAB, POSITIONS, MODEL, HEADS, LAYERS, FTYPE[kind]))
        out.write(struct.pack("i", VOCAB))
        for i in range(VOCAB):
            word = (chr(i) if 32 <= i < 127 else f"t{i}").encode()
            out.write(struct.pack("i", len(word)) + word)

        def tensor(name, rows, columns, kind, value=None):
            shape = (rows, columns) if columns else (rows,)
            data = rng.standard_normal(shape, np.float32) * 0.02 if value is None else np.full(shape, value, np.float32)
            label = name.encode()
            out.write(struct.pack("3i", len(shape), len(label), TYPE[kind]))
            out.write(struct.pack(f"{len(shape)}i", *reversed(shape)) + label)
            if kind == "bf16":
                data = (data.view(np.uint32) >> 16).astype(np.uint16)
            out.write(data.tobytes())

        tensor("model/ln_f/g", MODEL, 0, "f32", 1)
        tensor("model/ln_f/b", MODEL, 0, "f32", 0)
        tensor("model/wte", VOCAB, MODEL, kind)
        tensor("model/wpe", POSITIONS, MODEL, "f32")
        for layer in range(LAYERS):
            h = f"model/h{layer}/"
            for norm in ("ln_1", "ln_2"):
                tensor(h + norm + "/g", MODEL, 0, "f32", 1)
                tensor(h + norm + "/b", MODEL, 0, "f32", 0)
            for name, rows, columns in (
                ("attn/c_attn", 3 * MODEL, MODEL),
                ("attn/c_proj", MODEL, MODEL),
                ("mlp/c_fc", 4 * MODEL, MODEL),
                ("mlp/c_proj", MODEL, 4 * MODEL),
            ):
                tensor(h + name + "/w", rows, columns, kind)
                tensor(h + name + "/b", rows, 0, "f32", 0)


main(*sys.argv[1:])
