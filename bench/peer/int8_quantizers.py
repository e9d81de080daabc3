"""Other quantizers as they come, on the same float file and pictures: each writes ONNX with Q/DQ pairs.

    python bench/peer/int8_quantizers.py NAME FLOAT.onnx PICTURES OUT.onnx [--per-tensor] [--float-head] [--most 64]

NAME is onnxruntime-minmax, onnxruntime-percentile, onnxruntime-entropy (quantize_static, uint8 values, int8 weights),
nncf (nncf.quantize with its defaults for CNNs) or aimet (aimet-onnx's QuantizationSimModel with its defaults, int8).
--float-head leaves the convolutions before the outputs, and all behind them, in float (onnxruntime only).
"""

import argparse
import json
import logging
import pathlib
import tempfile

import onnx
from int8_pictures import contract_of, read_pictures

PASSED_THROUGH = ("Sigmoid", "ArgMax", "Resize", "Mul", "Add", "Cast", "Concat", "Reshape", "Clip")


def head_nodes(graph):
    """Names of the convolutions nearest to the outputs and of all nodes behind them."""
    producers = {output: node for node in graph.node for output in node.output}
    names, rest = set(), [output.name for output in graph.output]
    while rest:
        node = producers.get(rest.pop())
        if node is None or node.name in names:
            continue
        if node.op_type == "Conv":
            names.add(node.name)
        elif node.op_type in PASSED_THROUGH:
            names.add(node.name)
            rest.extend(node.input)
    return sorted(names)


def onnxruntime(arguments, feeds):
    from onnxruntime.quantization import (CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType,
                                          quantize_static)

    class Reader(CalibrationDataReader):
        def __init__(self):
            self.rest = iter(feeds)

        def get_next(self):
            return next(self.rest, None)

    method = {"minmax": CalibrationMethod.MinMax, "percentile": CalibrationMethod.Percentile,
              "entropy": CalibrationMethod.Entropy}[arguments.name.split("-")[1]]
    left_out = head_nodes(onnx.load(arguments.float).graph) if arguments.float_head else []
    quantize_static(arguments.float, arguments.out, Reader(), quant_format=QuantFormat.QDQ,
                    per_channel=not arguments.per_tensor, activation_type=QuantType.QUInt8,
                    weight_type=QuantType.QInt8, calibrate_method=method, nodes_to_exclude=left_out)


def nncf(arguments, feeds):
    import nncf as library
    from nncf.quantization.advanced_parameters import AdvancedQuantizationParameters, QuantizationParameters

    weights = QuantizationParameters(per_channel=False) if arguments.per_tensor else None
    options = AdvancedQuantizationParameters(weights_quantization_params=weights) if weights else None
    quantized = library.quantize(onnx.load(arguments.float),
                                 library.Dataset(feeds), subset_size=len(feeds), advanced_parameters=options)
    onnx.save(quantized, arguments.out)


def aimet(arguments, feeds):
    import aimet_onnx
    from aimet_onnx.quantsim import QuantizationSimModel

    folder = pathlib.Path(aimet_onnx.__file__).parent / "common/quantsim_config"
    config = json.loads((folder / "default_config.json").read_text())
    config["defaults"]["per_channel_quantization"] = str(not arguments.per_tensor)
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(config, file)
        file.flush()
        simulation = QuantizationSimModel(onnx.load(arguments.float), param_type="int8", activation_type="int8",
                                          config_file=file.name)
        simulation.compute_encodings(feeds)
        onnx.save(simulation.to_onnx_qdq(), arguments.out)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("name", choices=["onnxruntime-minmax", "onnxruntime-percentile", "onnxruntime-entropy", "nncf",
                                         "aimet"])
    parser.add_argument("float")
    parser.add_argument("pictures")
    parser.add_argument("out")
    parser.add_argument("--per-tensor", action="store_true")
    parser.add_argument("--float-head", action="store_true")
    parser.add_argument("--most", type=int, default=64)
    arguments = parser.parse_args()
    logging.disable(logging.WARNING)
    if arguments.float_head and not arguments.name.startswith("onnxruntime"):
        parser.error("--float-head is for onnxruntime only")
    contract = contract_of(arguments.float)
    name = contract["input"]["name"]
    feeds = [{name: picture} for picture in read_pictures(arguments.pictures, arguments.most, contract)]
    {"onnxruntime": onnxruntime, "nncf": nncf, "aimet": aimet}[arguments.name.split("-")[0]](arguments, feeds)


if __name__ == "__main__":
    main()
