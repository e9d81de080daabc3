"""usage: dump_layers.py FILE.onnx INPUT.npy OUT [--plain]

Runs a Q/DQ file in ONNX Runtime on each picture of the input and writes OUT/NAME.npy of each quantized value and of each
output, as a chip's tool would: the codes, [N, C, H, W]. Convolutions are computed in whole numbers; with --plain, without
ONNX Runtime's optimizations, they are computed in float.
"""

import collections
import pathlib
import re
import sys

import numpy as np
import onnx
import onnxruntime

file, out, plain = sys.argv[1], pathlib.Path(sys.argv[3]), "--plain" in sys.argv
inputs = np.load(sys.argv[2])
out.mkdir()


def session_of(model, level, optimised_file=None):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = level
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    if optimised_file:
        options.optimized_model_filepath = optimised_file
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


if not plain:
    optimised = str(out) + ".optimised.onnx"
    session_of(file, onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED, optimised)
    file = optimised
model = onnx.load(file)
names = {output.name: output.name for output in model.graph.output}  # by the value's name in the file
returned = set(names)
readers = collections.defaultdict(list)
for node in model.graph.node:
    for name in node.input:
        readers[name].append(node)
for node in model.graph.node:
    for codes in node.output:
        value, marker, _ = codes.rpartition("/QuantizeLinear_")
        if marker and not returned.intersection(output for reader in readers[codes] for output in reader.output):
            names[value + "_output_0"] = codes
            model.graph.output.append(onnx.ValueInfoProto(name=codes))
session = session_of(model.SerializeToString(), onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL)
results = [session.run(list(names.values()), {session.get_inputs()[0].name: picture[None]}) for picture in inputs]
for name, arrays in zip(names, zip(*results)):
    np.save(out / (re.sub(r"[^A-Za-z0-9.-]", "_", name) + ".npy"), np.concatenate(arrays))
print(len(names))
