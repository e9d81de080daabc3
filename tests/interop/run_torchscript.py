"""usage: run_torchscript.py FILE.ts EXPECTED.safetensors levels|logits|depth"""

import json
import sys

import torch

import comparison

file, expected_file, mode = sys.argv[1:]
expected = comparison.read(expected_file)
extra = {"dualdepth.json": ""}
model = torch.jit.load(file, _extra_files=extra)
card = json.loads(extra["dualdepth.json"])
if card["outputs"] != mode or card["model"]["params"]["max_depth"] != 80:
    comparison.fail(f"a card with outputs {mode} and the codec, got {card}")
count = 0
for key, image in comparison.pictures(expected):
    with torch.no_grad():
        outputs = model(torch.from_numpy(image))
    comparison.hold(expected, key, slice(None), {k: v.numpy() for k, v in outputs.items()}, mode, 1e-4, 1e-5)
    count += 1
if count != 2:
    comparison.fail(f"two sizes, got {count}")
