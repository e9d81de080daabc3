"""usage: run_torchscript.py EXPECTED.safetensors FILE.ts levels|logits|depth|position [FILE.ts ...]"""

import json
import sys

import torch

import comparison

expected = comparison.read(sys.argv[1])
for file, mode in zip(sys.argv[2::2], sys.argv[3::2]):
    extra = {"dualdepth.json": ""}
    model = torch.jit.load(file, _extra_files=extra)
    card = json.loads(extra["dualdepth.json"])
    kinds = {"levels": {"level", "fraction"}, "logits": {"logits", "fraction"}, "depth": {"depth"}, "position": {"position"}}[mode]
    if {output["is"] for output in card["outputs"].values()} != kinds or card["codec"]["max_depth"] != 80:
        comparison.fail(f"a card with outputs {mode} and the codec, got {card}")
    convolutions = [node for node in model.graph.nodes() if node.kind() == "aten::_convolution"]
    if not convolutions or any(list(node.inputs())[-1].toIValue() for node in convolutions):
        comparison.fail("convolutions that keep float32's whole mantissa on a GPU, got TF32")
    count = 0
    for key, image in comparison.pictures(expected):
        with torch.no_grad():
            outputs = model(torch.from_numpy(image))
        arrays = {name: value.numpy() for name, value in outputs.items()}
        comparison.hold(expected, key, slice(None), arrays, mode, 1e-4, 1e-5)
        count += 1
    if count != 2:
        comparison.fail(f"two sizes, got {count}")
