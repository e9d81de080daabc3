"""Prints what Python's safetensors finds in a checkpoint."""

import json
import sys

from safetensors import safe_open

with safe_open(sys.argv[1], framework="pt") as checkpoint:
    metadata = json.loads(checkpoint.metadata()["dualdepth"])
    print("step", metadata["step"], "epoch", metadata["epoch"], "libtorch", metadata["libtorch"])
    codec = metadata["codec"]
    print("codec", *[codec[key] for key in ("codec", "spacing", "n_integer_levels", "min_depth", "max_depth")])
    for name in checkpoint.keys():
        tensor = checkpoint.get_tensor(name)
        print(name, tensor.dtype, list(tensor.shape))
