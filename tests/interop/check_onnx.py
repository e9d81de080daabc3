"""usage: check_onnx.py FILE.onnx portable|openvino|npu [FILE.onnx ...]

The newest ONNX checker with full shape inference; names that show where a node comes from; the
profile's operators; metadata that suffices to make metres.
"""

import json
import re
import sys

import onnx

import comparison

named = re.compile(r"^(/encoder(/conv1|/layer[1-4]/\d+(/conv\d|/downsample/0)?)?"
                   r"|/decoder(/upconv_\d_\d|/head_0(/integer|/fraction|/sum)?)?)?/\w+(/\w+)?$")


def check(file, profile):
    model = onnx.load(file)
    onnx.checker.check_model(model, full_check=True)

    for node in model.graph.node:
        if not named.match(node.name):
            comparison.fail(f"a module's path in the node's name, got {node.name}")
    names = [node.name for node in model.graph.node]
    if len(set(names)) != len(names):
        comparison.fail("names that are unique")
    if "decoder.head_0.integer.weight" not in {tensor.name for tensor in model.graph.initializer}:
        comparison.fail("parameters under their names")

    opset = model.opset_import[0].version
    kinds = {node.op_type for node in model.graph.node}
    if profile == "npu":
        if opset != 9 or kinds & {"Softmax", "Resize", "Reshape"} or "Upsample" not in kinds:
            comparison.fail(f"opset 9 with Upsample, got {opset} and {kinds}")
    elif opset < 13 or "Resize" not in kinds:
        comparison.fail(f"opset 13 with Resize, got {opset} and {kinds}")
    if "BatchNormalization" in kinds:
        comparison.fail("folded batch norm")

    card = json.loads({entry.key: entry.value for entry in model.metadata_props}["dualdepth"])
    params = card["codec"]
    if params["codec"] != "reflected" or (params["min_depth"], params["max_depth"]) != (0.1, 80):
        comparison.fail(f"the codec in the metadata, got {params}")
    if card["input"]["range"] != [0, 1] or card["input"]["mean"] != [0] * 3 or card["input"]["std"] != [1] * 3:
        comparison.fail("the input's range and normalisation in the metadata")


for name, wanted in zip(sys.argv[1::2], sys.argv[2::2]):
    check(name, wanted)
