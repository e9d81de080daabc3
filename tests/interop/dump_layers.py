"""usage: dump_layers.py FILE.onnx INPUT.npy OUT

Runs a Q/DQ file in ONNX Runtime on each picture of the input and writes OUT/NAME.npy of each value behind a
DequantizeLinear of values and of each output, as a chip's tool would: float32 or the output's own type [N, C, H, W].
"""

import pathlib
import re
import sys

import numpy as np
import onnx
import onnxruntime

model = onnx.load(sys.argv[1])
inputs = np.load(sys.argv[2])
out = pathlib.Path(sys.argv[3])
out.mkdir()

constants = {initializer.name for initializer in model.graph.initializer}
names = [output.name for output in model.graph.output]
for node in model.graph.node:
    if node.op_type == "DequantizeLinear" and node.input[0] not in constants and node.output[0] not in names:
        names.append(node.output[0])
        model.graph.output.append(onnx.ValueInfoProto(name=node.output[0]))
options = onnxruntime.SessionOptions()
options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
results = [session.run(names, {session.get_inputs()[0].name: picture[None]}) for picture in inputs]
for name, arrays in zip(names, zip(*results)):
    np.save(out / (re.sub(r"[^A-Za-z0-9.-]", "_", name) + ".npy"), np.concatenate(arrays))
print(len(names))
