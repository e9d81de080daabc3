"""What `quantize` keeps of an ONNX file.

copied_file.py make OPSET FILE: writes a network of another exporter: Conv, BatchNormalization, Relu, a residual Add, a
Resize to the size of another map (Shape), Concat, Sigmoid; dynamic batch, height and width, doc strings, metadata.
copied_file.py check ORIGINAL QUANTIZED: exits with a message where names, opset, metadata or dimensions are not kept.
copied_file.py run FILE INPUT.npy OUT.npy: computes the output in ONNX Runtime.
"""

import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper


def make(opset, path):
    rng = np.random.default_rng(5)
    constants = {}

    def conv(name, x, y, outputs, inputs, stride=1, bias=True):
        constants[name + ".w"] = (rng.normal(0, 1, (outputs, inputs, 3, 3)) / np.sqrt(9 * inputs)).astype(np.float32)
        if bias:
            constants[name + ".b"] = rng.normal(0, 0.1, outputs).astype(np.float32)
        names = [x, name + ".w"] + ([name + ".b"] if bias else [])
        return helper.make_node("Conv", names, [y], name=name, doc_string="of " + name, kernel_shape=[3, 3],
                                strides=[stride, stride], pads=[1, 1, 1, 1])

    for part, values in [("scale", rng.uniform(0.5, 2, 8)), ("bias", rng.normal(0, 0.2, 8)),
                         ("mean", rng.normal(0, 0.2, 8)), ("var", rng.uniform(0.5, 2, 8))]:
        constants["bn." + part] = values.astype(np.float32)
    constants["start"], constants["end"] = np.array([2], np.int64), np.array([4], np.int64)
    nodes = [
        conv("stem conv", "pixels", "c1", 8, 3, stride=2, bias=False),
        helper.make_node("BatchNormalization", ["c1", "bn.scale", "bn.bias", "bn.mean", "bn.var"], ["n1"], name="stem bn"),
        helper.make_node("Relu", ["n1"], ["r1"], name="stem:relu"),
        conv("block", "r1", "c2", 8, 8),
        helper.make_node("Add", ["c2", "r1"], ["sum"], name="residual"),
        helper.make_node("Relu", ["sum"], ["r2"], name="act"),
        helper.make_node("Shape", ["pixels"], ["whole"], name="shape"),
        helper.make_node("Slice", ["whole", "start", "end"], ["hw"], name="hw"),
        helper.make_node("Shape", ["r2"], ["small"], name="small shape"),
        helper.make_node("Slice", ["small", "first", "start"], ["nc"], name="nc"),
        helper.make_node("Concat", ["nc", "hw"], ["sizes"], name="sizes", axis=0),
        helper.make_node("Resize", ["r2", *(["none", "none"] if opset == 11 else ["", ""]), "sizes"], ["up"], name="up", mode="nearest",
                         coordinate_transformation_mode="asymmetric", nearest_mode="floor"),
        conv("detail", "pixels", "c3", 4, 3),
        helper.make_node("Relu", ["c3"], ["r3"], name="detail relu"),
        helper.make_node("Concat", ["up", "r3"], ["joined"], name="join", axis=1),
        conv("head", "joined", "logit", 1, 12),
        helper.make_node("Sigmoid", ["logit"], ["depth out"], name="squash"),
    ]
    constants["first"] = np.array([0], np.int64)
    if opset == 11:
        constants["none"] = np.zeros(0, np.float32)
    graph = helper.make_graph(
        nodes, "foreign net", [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["N", 3, "H", "W"])],
        [helper.make_tensor_value_info("depth out", TensorProto.FLOAT, ["N", 1, "H", "W"])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()], doc_string="a graph")
    graph.value_info.append(helper.make_tensor_value_info("r2", TensorProto.FLOAT, ["N", 8, "H2", "W2"]))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=7, doc_string="a model",
                              producer_name="another exporter", producer_version="1.2")
    helper.set_model_props(model, {"author": "somebody", "labels": "a,b"})
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def expect(holds, message):
    if not holds:
        sys.exit(message)


def dimensions(values):
    return {v.name: [d.dim_param or d.dim_value for d in v.type.tensor_type.shape.dim] for v in values}


def check(original_path, path):
    original, model = onnx.load(original_path), onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    opset = original.opset_import[0].version
    expect(model.opset_import[0].version == max(opset, 13), f"opset {model.opset_import[0].version}")
    for field in ["producer_name", "producer_version", "doc_string"]:
        expect(getattr(model, field) == getattr(original, field), field)
    expect(model.graph.name == original.graph.name and model.graph.doc_string == original.graph.doc_string, "graph")
    props = {p.key: p.value for p in model.metadata_props}
    expect(all(props.get(p.key) == p.value for p in original.metadata_props) and "dualdepth" in props, str(props))
    expect(dimensions(model.graph.input) == dimensions(original.graph.input), "input")
    expect(dimensions(model.graph.output) == dimensions(original.graph.output), "output")
    expect(dimensions(model.graph.value_info)["r2"] == ["N", 8, "H2", "W2"], "value_info")
    nodes = {n.name: n for n in model.graph.node}
    for node in original.graph.node:
        if node.op_type == "BatchNormalization":
            expect(node.name not in nodes, "BatchNormalization stays")
            continue
        kept = nodes.get(node.name)
        expect(kept is not None and kept.op_type == node.op_type, f"node {node.name}")
        expect(kept.doc_string == node.doc_string, f"doc string of {node.name}")
        folded = node.name == "stem conv"  # makes what the BatchNormalization made
        output = ["n1"] if folded else list(node.output)
        if node.output[0] != "depth out" and kept.output[0] not in output:
            sys.exit(f"value of {node.name}: {list(kept.output)}")
    order = [n.name for n in model.graph.node if n.name in {m.name for m in original.graph.node}]
    expect(order == [n.name for n in original.graph.node if n.name in order], "order of nodes")
    filters = {i.name: i.data_type for i in model.graph.initializer}
    expect(not any(name.endswith(".w") for name in filters), "float filters stay")
    expect(sum(n.op_type == "QuantizeLinear" for n in model.graph.node) > 5, "few QuantizeLinear")


def run(path, source, out):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    np.save(out, session.run(None, {session.get_inputs()[0].name: np.load(source)})[0])


if sys.argv[1] == "make":
    make(int(sys.argv[2]), sys.argv[3])
elif sys.argv[1] == "check":
    check(*sys.argv[2:])
else:
    run(*sys.argv[2:])
