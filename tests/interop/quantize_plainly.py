"""usage: quantize_plainly.py PICTURES.safetensors FILE.onnx RESULT.safetensors

Quantizes FILE with ONNX Runtime's quantize_static as it comes (min-max, uint8 activations, int8 weights), per channel
and per tensor, calibrated on the pictures `calibration_*`, and writes what float and both files say of the pictures
`held_out_*`: level_float_0, fraction_float_0, level_channel_0 ...
"""

import logging
import pathlib
import sys

import onnxruntime
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from safetensors.numpy import load_file, save_file

logging.disable(logging.WARNING)
pictures, file, result = sys.argv[1:]
pictures = load_file(pictures)


def of(kind):
    return [pictures[f"{kind}_{i}"] for i in range(sum(name.startswith(kind) for name in pictures))]


class Reader(CalibrationDataReader):
    def __init__(self):
        self.rest = iter(of("calibration"))

    def get_next(self):
        picture = next(self.rest, None)
        return None if picture is None else {"image": picture}


files = {"float": file}
for granularity in ("channel", "tensor"):
    files[granularity] = str(pathlib.Path(result).with_suffix(f".{granularity}.onnx"))
    quantize_static(file, files[granularity], Reader(), quant_format=QuantFormat.QDQ,
                    per_channel=granularity == "channel", activation_type=QuantType.QUInt8,
                    weight_type=QuantType.QInt8)

said = {}
for name, path in files.items():
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # its threads spin while they wait, which slows the tests beside this one
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    for i, picture in enumerate(of("held_out")):
        level, fraction = session.run(["level", "fraction"], {"image": picture})
        said[f"level_{name}_{i}"] = level.astype("int64")
        said[f"fraction_{name}_{i}"] = fraction
save_file(said, result)
