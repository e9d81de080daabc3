#!/usr/bin/env python3
"""Writes the ONNX project's own test cases of single operators to a folder.

    write_operator_cases.py FOLDER

For each case FOLDER/NAME.onnx is the model and FOLDER/NAME.data.onnx holds what it reads and the expected outputs as
outputs input_0 ..., expected_0 ...; FOLDER/cases.txt lists name, operator, opset, relative and absolute tolerance.
"""

import pathlib
import sys
import warnings

import numpy as np
import onnx
from onnx import helper, numpy_helper
from onnx.backend.test.case import node as node_cases

# Whose inputs are all computed; of the others the first is, and those behind it are initializers.
COMPUTED = {"Add", "Sub", "Mul", "Div", "Min", "Max", "Pow", "MatMul", "Concat"}


def is_plain(case):
    """One node, whose inputs and outputs are tensors."""
    if case.model is None or len(case.model.graph.node) != 1 or not case.data_sets:
        return False
    inputs, outputs = case.data_sets[0]
    return all(isinstance(value, (np.ndarray, np.generic)) for value in [*inputs, *outputs])


def write_case(folder, case):
    model = onnx.ModelProto()
    model.CopyFrom(case.model)
    graph = model.graph
    node = graph.node[0]
    inputs, outputs = case.data_sets[0]
    inputs = [np.asarray(value) for value in inputs]
    computed = []
    names = [value.name for value in graph.input]
    for name, value in zip(names, inputs):
        if node.op_type in COMPUTED or name == node.input[0]:
            computed.append(value)
        else:
            graph.initializer.append(numpy_helper.from_array(value, name))
    kept = [value for value in graph.input if value.name not in {tensor.name for tensor in graph.initializer}]
    del graph.input[:]
    graph.input.extend(kept)
    onnx.save(model, folder / f"{case.name}.onnx")

    tensors = [numpy_helper.from_array(value, f"input_{i}") for i, value in enumerate(computed)]
    tensors += [numpy_helper.from_array(np.asarray(value), f"expected_{i}") for i, value in enumerate(outputs)]
    infos = [helper.make_tensor_value_info(t.name, t.data_type, list(t.dims)) for t in tensors]
    data = helper.make_model(helper.make_graph([], "data", [], infos, tensors), ir_version=8)
    onnx.save(data, folder / f"{case.name}.data.onnx")
    opset = next(o.version for o in model.opset_import if o.domain in ("", "ai.onnx"))
    return f"{case.name}\t{node.op_type}\t{opset}\t{case.rtol}\t{case.atol}\n"


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    warnings.simplefilter("ignore")
    lines = []
    for case in node_cases.collect_testcases(None):
        if "_expanded" in case.name or not is_plain(case):
            continue
        try:
            lines.append(write_case(folder, case))
        except Exception as error:  # of types that NumPy does not have
            print(f"{case.name}: {error}", file=sys.stderr)
    (folder / "cases.txt").write_text("".join(lines))
    print(len(lines))


if __name__ == "__main__":
    main()
