"""usage: run_quantized.py PICTURES.safetensors FILE.onnx FUSED RESULT.safetensors

Runs a Q/DQ file in ONNX Runtime on the pictures image@0, image@1 ... and writes what it computes of picture i: the codes
that each QuantizeLinear of the file is to give, as int32 under the node's name /module/FakeQuantize@i, and the outputs as
level@i ... . In the optimised graph FUSED convolutions must compute in whole numbers and all others in float; where all
are fused, the file as ONNX Runtime runs it by default must give the same outputs.
"""

import collections
import pathlib
import sys

import numpy as np
import onnx
import onnxruntime
from safetensors.numpy import load_file, save_file

pictures, file, fused, result = load_file(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]
optimised = str(pathlib.Path(result).with_suffix(".optimised.onnx"))


def session_of(model, level, optimised_file=None):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = level
    options.log_severity_level = 3
    options.intra_op_num_threads = 1  # its threads spin while they wait, which slows the tests beside this one
    if optimised_file:
        options.optimized_model_filepath = optimised_file
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


convolutions = sum(node.op_type == "Conv" for node in onnx.load(file).graph.node)
as_it_comes = session_of(file, onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL, optimised)
kinds = collections.Counter(node.op_type for node in onnx.load(optimised).graph.node)
if kinds["Conv"] + kinds["FusedConv"] != convolutions - fused or kinds["QLinearConv"] != fused:
    sys.exit(f"expected {fused} of {convolutions} convolutions as QLinearConv, got {dict(kinds)}")

# The same kernels, before the last pass gives values other names for another layout.
session_of(file, onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED, optimised)
model = onnx.load(optimised)
outputs = [output.name for output in model.graph.output]
values = {}  # name of the FakeQuantize -> value in the optimised graph
for node in model.graph.node:
    for name in node.output:
        quantized, marker, _ = name.rpartition("/QuantizeLinear_")
        if marker:
            values[quantized] = name
            model.graph.output.append(onnx.ValueInfoProto(name=name))
session = session_of(model.SerializeToString(), onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL)
computed = {}
for key, image in pictures.items():
    index = key.partition("@")[2]
    for name, array in zip(outputs + list(values), session.run(outputs + list(values.values()), {"image": image})):
        is_code = array.dtype in (np.uint8, np.int8)
        computed[f"{name}@{index}"] = np.ascontiguousarray(array.astype(np.int32) if is_code else array)
    for name, array in zip(outputs, as_it_comes.run(outputs, {"image": image})):
        if fused == convolutions and not np.array_equal(array, computed[f"{name}@{index}"]):
            sys.exit(f"expected {name} of the optimised graph and of its values' graph to be equal")
save_file(computed, result)
print(f"{len(values)} values, {dict(kinds)}")
