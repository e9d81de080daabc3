"""usage: run_quantized.py EXPECTED.safetensors FILE.onnx FUSED

Runs a Q/DQ file in ONNX Runtime. In the optimised graph FUSED of 32 convolutions must compute in 8 bits; every 8-bit value, by its
QuantizeLinear, must be within one step of what the library's own arithmetic says; levels must be the same.
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
fused = int(sys.argv[3])
if kinds["Conv"] + kinds["FusedConv"] != 32 - fused or kinds["QLinearConv"] != fused:
    sys.exit(f"expected {fused} QLinearConv and {32 - fused} float convolutions, got {dict(kinds)}")
# The same kernels, before the last pass gives values other names for another layout.
options = onnxruntime.SessionOptions()
options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
options.optimized_model_filepath = optimised
options.log_severity_level = 3
onnxruntime.InferenceSession(sys.argv[2], options, providers=["CPUExecutionProvider"])
model = onnx.load(optimised)
made = [name for node in model.graph.node for name in node.output]
grids = {}  # key of `expected` -> value in the optimised graph
for key in expected:
    found = [name for name in made if name.startswith(key + "/QuantizeLinear_")]
    if found:
        grids[key] = found[0]
        model.graph.output.append(onnx.ValueInfoProto(name=found[0]))
if len(grids) < 40:
    sys.exit(f"expected at least 40 values on a grid, got {len(grids)}")
options = onnxruntime.SessionOptions()
options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
image = {"image": expected["image"]}
said = session.run(list(grids.values()), image)
for (key, name), steps in zip(grids.items(), said):
    apart = np.abs(steps.astype(np.int64) - expected[key].astype(np.int64))
    print(f"{key}: {(apart == 0).mean():.6f} equal, {(apart <= 1).mean():.6f} within one step")
    if (apart <= 1).mean() < 0.999:
        sys.exit(f"expected {name} within one step")
level, fraction = session.run(["level", "fraction"], image)
equal = (level == expected["level"]).mean()
steps = np.abs(fraction - expected["fraction"]) * 256
print(f"equal levels {equal:.5f}, fraction within one step {(steps < 1.5).mean():.5f}")
if equal < 0.999 or (steps < 1.5).mean() < 0.999:
    sys.exit("expected the same levels, and fractions within one step")
