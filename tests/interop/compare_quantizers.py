#!/usr/bin/env python3
"""Prints how well ONNX Runtime's quantizer and ours keep a network, both run in ONNX Runtime.

    compare_quantizers.py FOLDER NAME OURS.onnx WIDE.onnx

FOLDER and NAME are those of make_networks.py. ONNX Runtime's quantize_static (its defaults: min-max; uint8 values, int8
filters, per channel) is calibrated with the same pictures. WIDE is ours with values of 16 bits. Output: a line `ours DB
theirs DB wide DB`, the signal to quantization noise ratio over the held-out pictures against the float file in dB:

    depth     10 log10(sum y^2 / sum (y' - y)^2)
    classes   10 log10(pixels / pixels of another class)
"""

import logging
import pathlib
import sys

import numpy as np
import onnxruntime
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

logging.disable(logging.WARNING)
folder, name, ours, wide = pathlib.Path(sys.argv[1]), *sys.argv[2:5]
arrays = np.load(folder / "pictures.npz")


def pictures(part):
    return [arrays[key] for key in sorted(arrays.files) if key.startswith(part)]


class Reader(CalibrationDataReader):
    def __init__(self):
        self.rest = iter(pictures("calibration"))

    def get_next(self):
        picture = next(self.rest, None)
        return None if picture is None else {"pixels": picture}


def outputs(file):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    return np.stack([session.run(None, {"pixels": picture})[0] for picture in pictures("held_out")])


def ratio(got, expected):
    if np.issubdtype(expected.dtype, np.integer):
        return 10 * np.log10(expected.size / max(1, np.count_nonzero(got != expected)))
    expected = expected.astype(np.float64)
    return 10 * np.log10(np.square(expected).sum() / np.square(got - expected).sum())


prepared, theirs = str(folder / f"{name}_prepared.onnx"), str(folder / f"{name}_theirs.onnx")
quant_pre_process(str(folder / f"{name}.onnx"), prepared, skip_symbolic_shape=True)
quantize_static(prepared, theirs, Reader(), quant_format=QuantFormat.QDQ, per_channel=True,
                activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8)
expected = outputs(str(folder / f"{name}.onnx"))
print(*(f"{what} {ratio(outputs(file), expected):.2f}"
        for what, file in (("ours", ours), ("theirs", theirs), ("wide", wide))))
