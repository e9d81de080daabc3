"""usage: run_quantized.py EXPECTED.safetensors FILE.onnx

Runs a Q/DQ file in ONNX Runtime. In the optimised graph no float convolution may be left, and level and fraction must be
those that the file's graph gives in float on the same grids, but for pixels where rounding decides.
"""

import collections
import pathlib
import sys

import numpy as np
import onnx
import onnxruntime
from safetensors.numpy import load_file

expected = load_file(sys.argv[1])
optimised = str(pathlib.Path(sys.argv[1]).with_suffix(".optimised.onnx"))
options = onnxruntime.SessionOptions()
options.optimized_model_filepath = optimised
options.log_severity_level = 3
session = onnxruntime.InferenceSession(sys.argv[2], options, providers=["CPUExecutionProvider"])
kinds = collections.Counter(node.op_type for node in onnx.load(optimised).graph.node)
print(dict(kinds))
if kinds["Conv"] + kinds["FusedConv"] or kinds["QLinearConv"] != 32:
    sys.exit(f"expected 32 QLinearConv and no float convolution, got {dict(kinds)}")
level, fraction = session.run(["level", "fraction"], {"image": expected["image"]})
equal = (level == expected["level"]).mean()
steps = np.abs(fraction - expected["fraction"]) * 256
print(f"equal levels {equal:.4f}, fraction within one step {(steps < 1.5).mean():.4f}")
if equal < 0.9:
    sys.exit(f"expected at least 0.9 equal levels, got {equal}")
if (steps < 1.5).mean() < 0.9:
    sys.exit("expected fractions within one step")
